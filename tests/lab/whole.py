"""whole.py: a Debian with systemd in a machine: what only a real boot shows of package, unit and privileges."""
from case import case
from site_of import expect, wait_for


@case("a whole machine boots into systemd and answers")
def boots(new_site):
    site = new_site(count=1, whole=True).boot()
    expect(site["a"].sh("cat /proc/1/comm").strip() == "systemd", "the first process is systemd")
