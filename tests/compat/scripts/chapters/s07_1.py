"""Section 7.1: minima, saddle points."""

import d2lzh as d2l
import numpy as np
from mpl_toolkits import mplot3d

d2l.set_figsize((4.5, 2.5))
x = np.arange(-1.0, 2.0, 0.1)
(fig,) = d2l.plt.plot(x, x * np.cos(np.pi * x))
fig.axes.annotate(
    "local minimum", xy=(-0.3, -0.25), xytext=(-0.77, -1.0), arrowprops=dict(arrowstyle="->")
)
d2l.plt.xlabel("x")
d2l.plt.show()
x, y = np.mgrid[-1:1:31j, -1:1:31j]
ax = d2l.plt.figure().add_subplot(111, projection="3d")
ax.plot_wireframe(x, y, x**2 - y**2, rstride=2, cstride=2)
ax.plot([0], [0], [0], "rx")
d2l.plt.xticks([-1, 0, 1])
