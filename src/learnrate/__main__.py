"""``python -m learnrate`` is the command ``learnrate``."""

from learnrate.cli import main

if __name__ == "__main__":
    main()
