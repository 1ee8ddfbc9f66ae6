"""case.py: the list of cases. A case is a function named by a sentence of its rule."""

CASES = []


class Skip(Exception):
    """This machine cannot run the case, and says why."""


def case(sentence):
    def keep(function):
        CASES.append((sentence, function))
        return function
    return keep
