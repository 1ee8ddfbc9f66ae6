"""Drives the page in headless Chromium.  usage: web_page.py URL MASTER SHOTS

Says `ready` when the page is as it should be with that master; after a line on stdin it waits until
the page itself shows another one, and says how long that took.
"""
import sys
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

URL, MASTER, SHOTS = sys.argv[1:4]
LIMIT_S = 30


def wait_for(condition, what):
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        try:
            value = condition()
            if value:
                return value
        except Exception:  # a row was replaced while it was looked at
            pass
        time.sleep(0.05)
    sys.exit(f"not within {LIMIT_S} s: {what}")


def open_browser(dark=False):
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--hide-scrollbars", "--window-size=1100,1500"):
        options.add_argument(word)
    if dark:
        options.add_argument("--force-dark-mode")
        options.add_argument("--blink-settings=preferredColorScheme=0")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


browser = open_browser()
try:
    browser.get(URL)
    master = lambda: browser.find_element(By.ID, "master-name").text
    wait_for(lambda: master() == MASTER, f"{MASTER} is shown as master")
    wait_for(lambda: len(browser.find_elements(By.CSS_SELECTOR, "#nodes tr")) == 3, "three nodes")
    wait_for(lambda: "…" not in browser.find_element(By.ID, "findings").text, "findings")
    wait_for(lambda: browser.find_elements(By.CSS_SELECTOR, "#events li"), "events")
    outside = browser.execute_script(
        "return performance.getEntriesByType('resource').map(r => r.name).filter(n => !n.startsWith(location.origin))")
    if outside:
        sys.exit(f"the page asked elsewhere: {outside}")
    first = browser.execute_script(
        "const n = performance.getEntriesByType('navigation')[0]; return [n.domContentLoadedEventEnd, n.transferSize]")
    body = browser.find_element(By.TAG_NAME, "body")
    reached = set()
    for _ in range(40):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(browser.execute_script("return document.activeElement.tagName + (document.activeElement.id || '')"))
    if len(reached) < 3:
        sys.exit(f"the keyboard reaches only {reached}")
    browser.save_screenshot(f"{SHOTS}/page.png")
    browser.set_window_size(390, 900)
    wide = browser.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 1:
        sys.exit(f"on a narrow screen the page is {wide} pixels too wide")
    browser.save_screenshot(f"{SHOTS}/narrow.png")
    browser.set_window_size(1100, 1500)
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    wait_for(lambda: master() not in (MASTER, "none", ""), "another master is shown without a reload")
    took = time.monotonic() - began
    browser.save_screenshot(f"{SHOTS}/after.png")
    bad = [e for e in browser.get_log("browser") if e["level"] == "SEVERE" and "/api/" not in e["message"]]
    if bad:
        sys.exit(f"the page failed: {bad}")
    print(f"first view {first[0]:.0f} ms, {first[1]} bytes; the page showed the new master after {took:.2f} s")
finally:
    browser.quit()
