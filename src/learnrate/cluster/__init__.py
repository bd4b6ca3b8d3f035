"""Sweeps over the workers of a Ray cluster: the same numbers, sooner. Needs the extra ``ray``.

`learnrate.cluster.ray.RayCluster` says which machines; `learnrate.sweep` takes one, or its address.
"""
