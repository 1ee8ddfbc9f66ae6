"""case.py: the list of cases. A case is a function named by a sentence of its rule."""

CASES = []


def case(sentence):
    def keep(function):
        CASES.append((sentence, function))
        return function
    return keep
