"""Why lanes of an `nn.LSTM` are trained one at a time on a CPU: a cell loop of stacked lanes beside PyTorch's own kernel.

The loop does what a stacked rule would have to do, without the cost of `vmap`: matrix products of all lanes, gates in place, and a
backward pass written by hand, which keeps as little as possible. Processor time of one step, forward and back, of K lanes::

    python -m benchmarks.torch_lstm
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.pages import where_and_when

K, LAYERS, H, D, T = 16, 2, 64, 32, 32
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
ROUNDS = 7


class StackedLayer(torch.autograd.Function):
    """One layer of K lanes: inputs (K, T, B, D) to outputs (K, T, B, H)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, wi: Tensor, wh: Tensor, b: Tensor) -> Tensor:
        """The states after each step."""
        lanes, steps, B, width = x.shape
        gates = torch.baddbmm(b[:, None], x.reshape(lanes, steps * B, width), wi.transpose(1, 2))
        gates = gates.view(lanes, steps, B, 4 * H).transpose(0, 1).contiguous()
        hs, cs = (x.new_zeros(steps + 1, lanes, B, H) for _ in range(2))
        tanh = x.new_empty(steps, lanes, B, H)
        for t in range(steps):
            gates[t].baddbmm_(hs[t], wh.transpose(1, 2))
            gates[t, ..., : 2 * H].sigmoid_()
            gates[t, ..., 2 * H : 3 * H].tanh_()
            gates[t, ..., 3 * H :].sigmoid_()
            i, f, u, o = torch.split(gates[t], H, dim=2)
            torch.mul(f, cs[t], out=cs[t + 1])
            cs[t + 1].addcmul_(i, u)
            torch.tanh(cs[t + 1], out=tanh[t])
            torch.mul(o, tanh[t], out=hs[t + 1])
        ctx.save_for_backward(x, wi, wh, gates, hs, cs, tanh)
        return hs[1:].transpose(0, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of inputs, weights and the sum of the biases."""
        x, wi, wh, gates, hs, cs, tanh = ctx.saved_tensors
        lanes, steps, B, width = x.shape
        i, f, u, o = torch.split(gates, H, dim=3)
        of_i, of_f, of_u = u * i * (1 - i), cs[:-1] * f * (1 - f), i * (1 - u * u)
        of_o, of_c = tanh * o * (1 - o), o * (1 - tanh * tanh)
        found = torch.empty_like(gates)
        dh, dc = torch.zeros_like(hs[0]), torch.zeros_like(hs[0])
        for t in range(steps - 1, -1, -1):
            dh += gradients[0][:, t]
            dc.addcmul_(dh, of_c[t])
            for part, (d, of) in enumerate(((dc, of_i), (dc, of_f), (dc, of_u), (dh, of_o))):
                torch.mul(d, of[t], out=found[t, ..., part * H : (part + 1) * H])
            dh, dc = torch.bmm(found[t], wh), dc * f[t]
        flat = found.transpose(0, 1).reshape(lanes, steps * B, 4 * H)
        before = hs[:-1].transpose(0, 1).reshape(lanes, steps * B, H)
        dx = torch.bmm(flat, wi).view(x.shape) if ctx.needs_input_grad[0] else None
        dwi = torch.bmm(flat.transpose(1, 2), x.reshape(lanes, steps * B, width))
        return dx, dwi, torch.bmm(flat.transpose(1, 2), before), flat.sum(1)


def compared(B: int) -> tuple[float, float, float]:
    """Seconds of the plain lanes and of the stacked ones, and the largest difference of a gradient."""
    torch.manual_seed(0)
    x = torch.randn(B, T, D)
    lanes = [nn.LSTM(D, H, LAYERS, batch_first=True) for _ in range(K)]
    stacks: list[list[Any]] = [
        [
            torch.stack([m.get_parameter(f"{n}_l{layer}").detach() for m in lanes]).requires_grad_()
            for n in NAMES
        ]
        for layer in range(LAYERS)
    ]

    def plain() -> None:
        for m in lanes:
            m.zero_grad()
            m(x)[0][:, -1].square().mean().backward()

    def stacked() -> None:
        out = x.transpose(0, 1).expand(K, T, B, D)
        for weights in stacks:
            for w in weights:
                w.grad = None
            wi, wh, bi, bh = weights
            out = StackedLayer.apply(out, wi, wh, bi + bh)  # type: ignore[no-untyped-call]
        out[:, -1].square().mean((1, 2)).sum().backward()  # type: ignore[no-untyped-call]

    seconds: dict[Any, list[float]] = {plain: [], stacked: []}
    for _ in range(ROUNDS):
        for run, found in seconds.items():
            began = time.process_time()
            run()
            found.append(time.process_time() - began)
    pairs: Any = (
        (w.grad[k], m.get_parameter(f"{n}_l{layer}").grad)
        for layer, weights in enumerate(stacks)
        for n, w in zip(NAMES, weights, strict=True)
        for k, m in enumerate(lanes)
    )
    off = max(float((a - b).abs().max()) for a, b in pairs)
    return statistics.median(seconds[plain]), statistics.median(seconds[stacked]), off


def main() -> None:
    """Print what each takes."""
    torch.set_num_threads(1)
    for B in (16, 32):
        plain, stacked, off = compared(B)
        print(
            f"{K} lanes of an LSTM {LAYERS} × {H}, length {T}, |B| {B}: {1e3 * plain:.0f} ms one after another, "
            f"{1e3 * stacked:.0f} ms stacked ({plain / stacked:.2f}×); gradients differ by {off:.0e}"
        )
    print(where_and_when())


if __name__ == "__main__":
    main()
