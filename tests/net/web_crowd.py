"""The real page in headless Chromium, fed with the answers of a hundred nodes.  usage: web_crowd.py PAGE ANSWERS SHOTS

A hundred daemons would cost a minute; what the page has to cope with is their answers. ANSWERS is a JSON file
{path: answer}; the page is the file itself. Looked at in light and dark, wide and narrow, with the keyboard.
Prints what is wrong and exits with 1, or "good".
"""
import http.server
import json
import sys
import threading
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

PAGE, ANSWERS, SHOTS = sys.argv[1:4]
LIMIT_S, NARROW = 30, 360
CONTRAST = """
const light = (c) => c.map((v) => v / 255).map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const parts = (text) => text.match(/[\\d.]+/g).map(Number);
const ground = (e) => { for (; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
const poor = [];
for (const e of document.querySelectorAll("p, td, th, span, strong, h1, h2, li, time, code, button")) {
    if (!e.textContent.trim() || !e.offsetParent) continue;
    const a = light(parts(getComputedStyle(e).color).slice(0, 3)), b = light(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.push(e.tagName + "." + e.className + " " + ratio.toFixed(1) + " '" + e.textContent.slice(0, 20) + "'");
}
return [light(ground(document.body)), [...new Set(poor)].slice(0, 5)];
"""
TO_REACH = """return [...document.querySelectorAll("button, summary, input, a[href], [tabindex='0']")]
    .filter((e) => e.offsetParent).length"""
FOCUSED = """const e = document.activeElement, s = getComputedStyle(e);
if (e === document.body) return null;
window.met = window.met || new Set(); window.met.add(e);
return [window.met.size, s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1, e.tagName + "#" + e.id]"""


class Feed(http.server.BaseHTTPRequestHandler):
    answers = json.load(open(ANSWERS))
    page = open(PAGE, "rb").read()

    def do_GET(self):
        if self.path == "/":
            self.reply(200, "text/html; charset=utf-8", self.page)
        elif self.path in self.answers:
            self.reply(200, "application/json", json.dumps(self.answers[self.path]).encode())
        else:
            self.reply(404, "text/plain", b"")

    def reply(self, code, kind, body):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *what):
        pass


wrong = []


def expect(good, what):
    if not good:
        wrong.append(what)


def wait_for(condition, what):
    until = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > until:
            sys.exit(f"not within {LIMIT_S} s: {what}")
        time.sleep(0.05)


def open_browser():
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                 "--window-size=1100,1500"):
        options.add_argument(word)
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


def screen(browser, width, height):
    """Of exactly that size: a window has a least one of its own."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})


def scheme(browser, name):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                            {"features": [{"name": "prefers-color-scheme", "value": name}]})


def look(browser, answers):
    text = lambda where: browser.find_element(By.CSS_SELECTOR, where).text
    count = lambda where: len(browser.find_elements(By.CSS_SELECTOR, where))
    nodes, clocks = answers["/api/nodes"], answers["/api/clock"]
    wait_for(lambda: count("#nodes tr") == len(nodes), "a row for each node")
    wait_for(lambda: count("#clock rect") > 0 and count("#findings .finding") > 0 and count("#dns tr") > 0, "all parts")
    ill = [n["name"] for n in nodes if n["state"] != "reachable"]
    first = [row.text.split()[0] for row in browser.find_elements(By.CSS_SELECTOR, "#nodes tr")[:len(ill)]]
    expect(sorted(first) == sorted(ill), f"who is not reachable is shown first: {first}, not {ill}")
    expect(count("#clock rect") == len(clocks["offsets"]), "the picture has every pair that was compared")
    unknown = next(n for n in clocks["nodes"] if n["unknown"])
    expect(f"{unknown['name']}: unknown since {unknown['unknown_since']}" in text("#clock p"), text("#clock p")[:200])
    dead = next(s for s in answers["/api/dns"]["servers"] if s["verdict"] != "ok")
    expect(dead["node"] in browser.find_element(By.CSS_SELECTOR, "#dns tr").text, "the dead name server is shown first")


def look_with(browser, width, colours):
    screen(browser, width, 1500)
    scheme(browser, colours)
    time.sleep(0.3)
    ground, poor = browser.execute_script(CONTRAST)
    expect((ground < 0.1) == (colours == "dark"), f"{colours}: the ground's lightness is {ground:.2f}")
    expect(not poor, f"{colours}: hard to read: {poor}")
    wide = browser.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    expect(wide <= 0, f"{width} pixels: the page is {wide} pixels too wide")
    browser.save_screenshot(f"{SHOTS}/{colours}-{width}.png")


def walk(browser):
    """Tab reaches all that can be acted upon, shows where it is, and is not thrown out when answers come anew."""
    all_of_them = browser.execute_script(TO_REACH)
    reached = 0
    for _ in range(all_of_them + 5):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        at = browser.execute_script(FOCUSED)
        if at is not None:
            reached = at[0]
            expect(at[1], f"it can be seen that {at[2]} has the focus")
    expect(reached == all_of_them, f"the keyboard reaches {reached} of {all_of_them}")
    browser.execute_script("document.querySelector('#findings button').focus()")
    time.sleep(6)  # longer than the page's slowest round
    expect(browser.execute_script("return document.activeElement.tagName") == "BUTTON",
           "the focus stays while nothing changes")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Feed)
threading.Thread(target=server.serve_forever, daemon=True).start()
browser = open_browser()
try:
    browser.get(f"http://127.0.0.1:{server.server_port}/")
    look(browser, Feed.answers)
    for width in (1100, NARROW):
        for colours in ("light", "dark"):
            look_with(browser, width, colours)
    screen(browser, 1100, 1500)
    walk(browser)
finally:
    browser.quit()
print("\n".join(dict.fromkeys(wrong)) or "good")
sys.exit(1 if wrong else 0)
