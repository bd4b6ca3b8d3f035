"""The parts of every sweep, for any model: states, problems, engines, executors, records and checkpoints.

An engine trains the lanes of a problem and yields `LaneStates`. An executor runs engines: in this process, on threads
or on a cluster. A record collects the curves and the latest states, a checkpoint saves the record, and a monitor
reports progress. Nothing here depends on the linear model or on PyTorch.
"""
