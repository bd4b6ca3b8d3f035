"""What `vmap` does otherwise than a lane alone, or not at all, done here as a lane alone does it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

import torch
from torch import Tensor
from torch._C import _functorch
from torch._functorch.eager_transforms import enable_inplace_requires_grad
from torch._functorch.utils import enable_single_level_autograd_function
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_unflatten

__all__ = ["AsAlone"]

_LEVEL = 1
"""Of the `vmap` over lanes, which is the outermost one."""
_VALUES = {Tensor.__bool__, Tensor.__int__, Tensor.__float__, Tensor.__index__, Tensor.item}
"""What turns a tensor into a number."""
_FOR_GRADIENTS = {Tensor.requires_grad_, Tensor.requires_grad.__set__}  # type: ignore[attr-defined]
"""What asks for gradients with respect to a tensor."""
_MAKERS = {
    torch.zeros, torch.ones, torch.empty, torch.full, torch.zeros_like, torch.ones_like, torch.empty_like,
    torch.full_like, Tensor.new_zeros, Tensor.new_ones, Tensor.new_empty, Tensor.new_full,
}  # fmt: skip
"""What makes a tensor that is usually filled afterwards."""


class AsAlone(TorchFunctionMode):
    """Inside, a step under `vmap` over lanes is for each lane what it would be alone.

    - Dropout draws the mask that a lane alone would draw. PyTorch draws it in the order in which its input lies in memory, on
      a CPU; the rule of `vmap` draws in the order of the indices. These are the same unless the input is a transposed view,
      as inside of `nn.TransformerEncoderLayer`.
    - A value decides what is done, as in ``if loss.isnan(): …``, as long as it is the same for all lanes.
    - `nn.LSTMCell` and `nn.GRUCell` are computed in their parts, `nn.TransformerEncoder` without its nested tensors, and
      spectral norm without ``out=``.
    - Attention with a mask that is learnt takes the routine that has a gradient for it.
    - Gradients can be taken inside of a step.
    - An `autograd.Function` without a rule for `vmap` is called for one lane after the other.

    Parameters
    ----------
    K : int
        How many lanes are stacked.
    apart : int
        What each lane gets copies of: nothing (0), tensors that a step makes, so that it can change them in place (1), or
        minibatches too, so that it can take gradients with respect to them (2).
    """

    def __init__(self, K: int, *, apart: int = 0) -> None:
        super().__init__()
        self._K, self._apart = K, apart

    def __enter__(self) -> AsAlone:
        _functions.begin()
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        _functions.end()

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        """Calls the function, or does here what it does."""
        kwargs = kwargs or {}
        found: Any = None
        if func is torch.nn.functional.dropout:
            found = _dropped(*args, **kwargs)
        elif func in _VALUES:
            found = _common_value(func, args[0])
        elif func in _CELLS:
            found = _CELLS[func](*args, **kwargs)
        elif func is torch.nn.functional.normalize and kwargs.get("out") is not None:
            found = kwargs["out"].copy_(func(*args, **{**kwargs, "out": None}))
        elif func is torch._nested_tensor_from_mask_left_aligned:
            found = False
        elif func is torch.nn.functional.scaled_dot_product_attention:
            mask = args[3] if len(args) > 3 else kwargs.get("attn_mask")
            if mask is not None and _functorch.is_batchedtensor(mask):  # one that is learnt
                with sdpa_kernel(SDPBackend.MATH):
                    found = func(*args, **kwargs)
        elif func is torch.nn.functional.gaussian_nll_loss:
            with self:
                found = _gaussian_nll_loss(*args, **kwargs)
        elif func is torch.autograd.grad:
            found = _gradients(*args, **kwargs)
        elif self._apart == 2 and func in _FOR_GRADIENTS:
            found = self._own(args[0])
            with torch._C._DisableFuncTorch(), enable_inplace_requires_grad(True):
                _functorch.get_unwrapped(found).requires_grad_(*args[1:], **kwargs)
        if found is not None:
            return found
        made = func(*args, **kwargs)
        return self._own(made) if self._apart and func in _MAKERS else made

    def given(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The tensors of a minibatch as a step is given them; to be called under `vmap`."""
        return [self._own(t) if self._apart == 2 and t.is_floating_point() else t for t in tensors]

    def _own(self, tensor: Tensor) -> Tensor:
        """A copy of a tensor for each lane, unless it is each lane's already."""
        if _functorch.is_batchedtensor(tensor):
            return tensor
        return _stacked(tensor.expand(self._K, *tensor.shape).clone())  # type: ignore[no-any-return]


def _stacked(rows: Any) -> Any:
    """A tensor (K, …) as that of the lanes."""
    return _functorch._add_batch_dim(rows, 0, _LEVEL)


def _rows(value: Any) -> Tensor | None:
    """The lanes' values (K, …) of a tensor, None if all have the same one."""
    if not isinstance(value, Tensor) or not _functorch.is_batchedtensor(value):
        return None
    return _functorch.get_unwrapped(value).movedim(_functorch.maybe_get_bdim(value), 0)


def _dropped(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor | None:
    drawn_so = training and 0 < p < 1 and not inplace and input.device.type == "cpu"
    if not drawn_so or input.is_contiguous():
        return None
    lying = torch.empty_strided(input.shape, input.stride(), dtype=input.dtype, device="meta")
    mask = torch.empty_like(lying, device="cpu").bernoulli_(1 - p).div_(1 - p)
    return input * mask


def _gradients(
    outputs: Any, inputs: Any, grad_outputs: Any = None, *rest: Any, **options: Any
) -> tuple[Any, ...] | None:
    """Gradients inside of a step: those of a sum over lanes, since no lane's output depends on another's input."""
    of, to = ((t,) if isinstance(t, Tensor) else tuple(t) for t in (outputs, inputs))
    if not all(map(_functorch.is_batchedtensor, (*of, *to))):
        return None
    places = [_functorch.maybe_get_bdim(t) for t in to]
    with torch._C._DisableFuncTorch(), torch.enable_grad():
        values: Any = [_rows(t) for t in of]
        if grad_outputs is None:
            starts: Any = [torch.ones_like(v) for v in values]
        else:
            given = (grad_outputs,) if isinstance(grad_outputs, Tensor) else tuple(grad_outputs)
            starts = [
                g if g is None else (_rows(g) if _functorch.is_batchedtensor(g) else g.expand_as(v))
                for g, v in zip(given, values, strict=True)
            ]
        unwrapped = [_functorch.get_unwrapped(t) for t in to]
        found = torch.autograd.grad(values, unwrapped, starts, *rest, **options)
    return tuple(
        None if g is None else _functorch._add_batch_dim(g, at, _LEVEL)
        for g, at in zip(found, places, strict=True)
    )


def _common_value(func: Any, value: Tensor) -> Any:
    """A number that is the same for all lanes, None if it is not."""
    with torch._C._DisableFuncTorch():
        rows = _rows(value)
        if rows is None or rows[0].numel() != 1 or not bool((rows == rows[0]).all()):
            return None
        return func(rows[0])


def _lstm_cell(
    x: Tensor,
    state: Sequence[Tensor],
    w_x: Tensor,
    w_h: Tensor,
    b_x: Tensor | None = None,
    b_h: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    linear = torch.nn.functional.linear
    h, c = state
    i, f, g, o = (linear(x, w_x, b_x) + linear(h, w_h, b_h)).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def _gru_cell(
    x: Tensor,
    h: Tensor,
    w_x: Tensor,
    w_h: Tensor,
    b_x: Tensor | None = None,
    b_h: Tensor | None = None,
) -> Tensor:
    linear = torch.nn.functional.linear
    r_x, z_x, n_x = linear(x, w_x, b_x).chunk(3, -1)
    r_h, z_h, n_h = linear(h, w_h, b_h).chunk(3, -1)
    n = (n_x + (r_x + r_h).sigmoid() * n_h).tanh()
    z = (z_x + z_h).sigmoid()
    return n + z * (h - n)


_CELLS: dict[Any, Callable[..., Any]] = {torch.lstm_cell: _lstm_cell, torch.gru_cell: _gru_cell}
_gaussian_nll_loss: Any = FunctionType(
    torch.nn.functional.gaussian_nll_loss.__code__,
    {**vars(torch.nn.functional), "has_torch_function_variadic": lambda *_: False},
    argdefs=torch.nn.functional.gaussian_nll_loss.__defaults__,
)
"""The same function, with a mode on inside of it too, for it goes by a value."""


def _by_lane(apply: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call the ``apply`` of an `autograd.Function` for one lane after the other; once if lanes do not differ in it."""
    with torch._C._DisableFuncTorch(), enable_single_level_autograd_function():
        flat, structure = tree_flatten(args)
        rows = [_rows(value) for value in flat]
        K = next((len(r) for r in rows if r is not None), None)
        if K is None:
            return apply(*args, **kwargs)
        made = []
        for k in range(K):
            own = [v if r is None else r[k] for v, r in zip(flat, rows, strict=True)]
            made.append(apply(*tree_unflatten(own, structure), **kwargs))
        parts = [made] if isinstance(made[0], Tensor) else list(zip(*made, strict=True))
        found = tuple(torch.stack(p) if isinstance(p[0], Tensor) else p[0] for p in parts)
    stacked = tuple(_stacked(part) if isinstance(part, Tensor) else part for part in found)
    return stacked[0] if isinstance(made[0], Tensor) else stacked


class _Functions:
    """Has `autograd.Function` call `_by_lane` while a mode is on; in other threads, and outside of lanes, all is as ever."""

    def __init__(self) -> None:
        self._lock, self._begun, self._here = threading.Lock(), 0, threading.local()

    def begin(self) -> None:
        self._here.on = getattr(self._here, "on", 0) + 1
        with self._lock:
            self._begun += 1
            if self._begun == 1:
                self._found = vars(torch.autograd.Function)["apply"]
                torch.autograd.Function.apply = classmethod(self._apply)  # type: ignore[assignment,method-assign]

    def end(self) -> None:
        self._here.on -= 1
        with self._lock:
            self._begun -= 1
            if not self._begun:
                torch.autograd.Function.apply = self._found  # type: ignore[method-assign]

    def _apply(self, cls: type[torch.autograd.Function], *args: Any, **kwargs: Any) -> Any:
        ours = getattr(self._here, "on", 0) and _functorch.maybe_current_level() == _LEVEL
        if not ours or cls.generate_vmap_rule or cls.vmap is not torch.autograd.Function.vmap:
            return self._found.__func__(cls, *args, **kwargs)
        apply = super(torch.autograd.Function, cls).apply  # type: ignore[misc]
        return _by_lane(apply, args, kwargs)


_functions = _Functions()
