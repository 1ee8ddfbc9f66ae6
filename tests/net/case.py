"""case.py: the list of cases. A case is a function named by a sentence of its rule.

A case runs in a process and namespaces of its own, beside others. What those do not divide is the
machine's: block devices, volume groups, the processor. A case that needs one of them for itself is
`alone`. `lasts` is about how many seconds it takes: the long ones begin first.
"""
from typing import Callable, NamedTuple

CASES = []


class Skip(Exception):
    """This machine cannot run the case, and says why."""


class Case(NamedTuple):
    sentence: str
    function: Callable
    lasts: int
    alone: bool


def case(sentence, lasts=5, alone=False):
    def keep(function):
        assert all(sentence != c.sentence for c in CASES), sentence
        CASES.append(Case(sentence, function, lasts, alone))
        return function
    return keep
