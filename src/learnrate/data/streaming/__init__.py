"""Tables that are larger than memory: read in batches, prepared into a cache, trained on in blocks."""
