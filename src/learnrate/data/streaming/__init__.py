"""Tables larger than memory: read in blocks, prepared into a cache on disk, and trained on in blocks."""
