"""Linear regression and its learning rate: the note that learnrate grew from."""
