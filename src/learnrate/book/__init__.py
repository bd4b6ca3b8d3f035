"""The wing of the book: one training step opened (`explain`), and the living note."""
