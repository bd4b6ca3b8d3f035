"""Blocks: layers, networks of layers, and their parameters."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from learnrate import nd
from learnrate._missing import missing
from learnrate.compat.mxnet.gluon import saving
from learnrate.compat.mxnet.gluon.parameter import Parameter, ParameterDict

__all__ = ["Block", "HybridBlock"]


class _Names(threading.local):
    """The names of new blocks: ``dense0_``, ``dense1_``, … after the prefix of the current name scope."""

    def __init__(self) -> None:
        self.prefix = ""
        self.counts: Counter[str] = Counter()

    def next(self, hint: str) -> str:
        number = self.counts[hint]
        self.counts[hint] += 1
        return f"{self.prefix}{hint}{number}_"


_names = _Names()


class Block:
    """A layer, or a network of layers. A subclass creates layers in ``__init__`` and uses them in ``forward``.

    Parameters
    ----------
    prefix : str, optional
        Prefix of the names of its parameters.
    params : ParameterDict, optional
        The ``params`` of another block, to share them.
    """

    def __init__(self, prefix: str | None = None, params: ParameterDict | None = None) -> None:
        hint = type(self).__name__.lower()
        self._prefix = _names.next(hint) if prefix is None else _names.prefix + prefix
        self._params = ParameterDict(self._prefix) if params is None else params
        self._children: dict[str, Block] = {}
        self._own: dict[str, Parameter] = {}
        self._counts: Counter[str] = Counter()  # of blocks made in its name_scope

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Block):
            self._children[name] = value
        elif isinstance(value, Parameter):
            self._own[name] = value
        super().__setattr__(name, value)

    def __call__(self, *inputs: Any) -> Any:
        """Compute the output with `forward`."""
        return self.forward(*inputs)

    def forward(self, *inputs: Any) -> Any:
        """Compute the output; defined by a subclass."""
        raise NotImplementedError(f"{type(self).__name__} must have a method forward(self, x).")

    def __repr__(self) -> str:
        return self._drawn(self._children)

    def _drawn(self, children: dict[str, Block]) -> str:
        lines = "".join(
            f"  ({name}): " + repr(child).replace("\n", "\n  ") + "\n"
            for name, child in children.items()
        )
        return f"{type(self).__name__}(\n{lines})"

    @property
    def prefix(self) -> str:
        """Prefix of the names of its parameters, such as ``dense0_``."""
        return self._prefix

    @property
    def name(self) -> str:
        """The prefix without its underscore."""
        return self._prefix.removesuffix("_")

    @property
    def params(self) -> ParameterDict:
        """Its own parameters, without those of its layers. ``self.params.get`` creates one."""
        return self._params

    @contextmanager
    def name_scope(self) -> Iterator[None]:
        """Scope in which new blocks get the prefix of this block before their own."""
        before = _names.prefix, _names.counts
        _names.prefix, _names.counts = self._prefix, self._counts
        try:
            yield
        finally:
            _names.prefix, _names.counts = before

    def register_child(self, block: Block, name: str | None = None) -> None:
        """Add a layer that is not an attribute."""
        self._children[str(len(self._children)) if name is None else name] = block

    def collect_params(self, select: str | None = None) -> ParameterDict:
        """All parameters by name, or those whose name begins with a match of the regular expression ``select``."""
        found = ParameterDict(self._prefix)
        found.update(self._params)
        found.update({parameter.name: parameter for parameter in self._own.values()})
        for child in self._children.values():
            found.update(child.collect_params())
        return found.matching(select)

    def parameters_by_path(self, path: str = "") -> dict[str, Parameter]:
        """All parameters by their path in the network, such as ``0.weight``, as files name them."""
        found = {path + name: parameter for name, parameter in self._own.items()}
        for name, child in self._children.items():
            found.update(child.parameters_by_path(f"{path}{name}."))
        return found

    def initialize(
        self, init: Any = None, ctx: Any = None, verbose: bool = False, force_reinit: bool = False
    ) -> None:
        """Initialise all parameters; those whose shape is not known yet, with the first minibatch."""
        self.collect_params().initialize(init, ctx, verbose, force_reinit)

    def apply(self, fn: Any) -> Block:
        """Call ``fn`` for every layer, then for this block."""
        for child in self._children.values():
            child.apply(fn)
        fn(self)
        return self

    def hybridize(self, active: bool = True, **kwargs: Any) -> None:
        """Do nothing: learnrate has no symbolic mode."""

    def save_parameters(self, filename: Any) -> None:
        """Write all parameters to a file in MXNet's format."""
        saving.save(filename, self.parameters_by_path())

    def load_parameters(
        self,
        filename: Any,
        ctx: Any = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
    ) -> None:
        """Read parameters from a file of `save_parameters`, here or in MXNet. Nothing in the file is executed.

        Parameters
        ----------
        filename : path
            The file.
        ctx : Context, optional
            Must be the CPU.
        allow_missing, ignore_extra : bool
            Whether parameters may be missing in the file, and whether it may have others.

        Raises
        ------
        DataError
            If it is another file, or does not fit this network; then no parameter is changed.
        """
        saving.load(filename, self.parameters_by_path(), ctx, allow_missing, ignore_extra)


class HybridBlock(Block):
    """A block that may define ``hybrid_forward(F, x, …)`` in place of ``forward``; ``F`` is ``nd``."""

    def forward(self, *inputs: Any) -> Any:
        """Call ``hybrid_forward`` with ``nd``, the inputs, and its own parameters by name."""
        own = {name: parameter.data() for name, parameter in self._own.items()}
        return self.hybrid_forward(nd, *inputs, **own)

    def hybrid_forward(self, F: Any, *inputs: Any, **params: Any) -> Any:
        """Compute the output; defined by a subclass."""
        raise NotImplementedError(
            f"{type(self).__name__} must have a method hybrid_forward(self, F, x)."
        )


__getattr__ = missing("gluon.block", __all__)
