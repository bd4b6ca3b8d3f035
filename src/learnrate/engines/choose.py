from learnrate.engines.reference import ReferenceEngine


def choose_engine(name, **k):
    return ReferenceEngine(), "it is here"
