"""The rate's explorer: one page that needs no install, no network and no server.

The page computes limits, floor and predicted curve in the browser, by the equations of `learnrate.theory`, and
trains there too. `page` puts it together, `open_page` shows it.
"""

from learnrate.book.play.document import open_page, page, save_page

__all__ = ["open_page", "page", "save_page"]
