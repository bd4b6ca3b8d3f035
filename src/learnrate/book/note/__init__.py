"""The living note: formula, code, numbers and plot on one page, in Chinese and English.

`notebook.py` is the page, a marimo notebook; it and all that helps it use learnrate as any user would,
through its public names. `launch` serves it, copies it and writes it out.
"""
