"""The book: the explanation of a training step (`explain`), the interactive note and the play page."""
