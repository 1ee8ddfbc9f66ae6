"""report.py: one JSON line per figure: {bench, n, profile, metric, median, min, max, trials, target, ok}."""
import json
import statistics
import sys

LINES = []


def figure(bench, n, profile, metric, values, target=None, digits=4, worst=False, **more):
    """Prints one figure. `target`: the median, or the `worst`, may not be above it ('>=' text: not below)."""
    good = [v for v in values if v is not None]
    lost = len(values) - len(good)
    line = {"bench": bench, "n": n, "profile": profile, "metric": metric,
            "median": round(statistics.median(good), digits) if good else None,
            "min": round(min(good), digits) if good else None,
            "max": round(max(good), digits) if good else None,
            "trials": len(values), "target": target, "ok": met(good, lost, target, worst or target == 0)}
    if lost:
        line["lost"] = lost
    line |= more
    LINES.append(line)
    print(json.dumps(line), flush=True)
    return line


def met(values, lost, target, worst):
    """Nothing may happen not even once: a target of 0 is every trial's."""
    if target is None:
        return None
    if lost or not values:
        return False
    if isinstance(target, str):  # ">= 10000"
        return statistics.median(values) >= float(target.split()[1])
    return (max(values) if worst else statistics.median(values)) <= target


def talk(text):
    print(text, file=sys.stderr, flush=True)
