"""Is a lane the plain loop? Set-ups of many kinds in float64, each against PyTorch's own loop: `python -m benchmarks.torch_truth`.

A set-up is a model, its examples and a step; the loop visits the sweep's minibatches with the sweep's draws. The table
says whether lanes were stacked, the largest difference of any trained number from the loop's, as a share of the
largest number in the model, and the processor time of four plain runs as a multiple of the sweep's.
"""

# ruff: noqa: D101, D102, D103
from __future__ import annotations

import argparse
import copy
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import learnrate.torch
from benchmarks.pages import DOCS, put, where_and_when
from learnrate.data.order import epoch_order
from learnrate.torch.randomness import Stream, forked_random_states, reseed
from tests.torch import test_own_training as own
from tests.torch.models import CPU, cnn, images, mlp, regression, seeded

F = nn.functional
LRS, B, EPOCHS = [1e-3, 3e-3, 1e-2, 3e-2], 16, 20
Step = Callable[[Any, Any], Tensor]


class SetUp(NamedTuple):
    """A training."""

    name: str
    model: nn.Module
    data: Any
    step: Step
    optimizer: Callable[[Any, float], Any] = lambda m, lr: torch.optim.SGD(m.parameters(), lr=lr)
    options: dict[str, Any] = {}  # noqa: RUF012


def mse(model: Any, batch: Any) -> Tensor:
    return F.mse_loss(model(*batch[:-1]), batch[-1])


def classes(model: Any, batch: Any) -> Tensor:
    return F.cross_entropy(model(batch[0]), batch[1])


def language(model: Any, batch: Any) -> Tensor:
    return model(input_ids=batch[0], labels=batch[0]).loss  # type: ignore[no-any-return]


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inside = nn.Conv2d(1, 4, 3, padding=1)
        self.a, self.norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.out = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.inside(x)
        h = h + torch.relu(self.norm(self.a(h)))
        return self.out(h.mean((2, 3)))  # type: ignore[no-any-return]


class Sequence(nn.Module):
    """A recurrent layer over the features as a sequence."""

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.layer, self.out = kind(1, 4, batch_first=True), nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.layer(x[..., None])[0][:, -1])  # type: ignore[no-any-return]


def transformer(dropout: float) -> nn.Module:
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=dropout, batch_first=True)
    rows = [nn.Unflatten(1, (5, 1)), nn.Linear(1, 4)]
    return nn.Sequential(*rows, layer, nn.Flatten(), nn.Linear(20, 1))


class Variational(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inside, self.outside = nn.Linear(5, 4), nn.Linear(2, 5)

    def forward(self, x: Tensor) -> Any:
        mean, log = self.inside(x).chunk(2, 1)
        z = mean + torch.randn_like(mean) * (log / 2).exp()
        return self.outside(z), -0.5 * (1 + log - mean**2 - log.exp()).sum(1).mean()


def evidence(model: Any, batch: Any) -> Tensor:
    output, divergence = model(batch[0])
    return F.mse_loss(output, batch[0]) + divergence  # type: ignore[no-any-return]


def contrast(model: Any, batch: Any) -> Tensor:
    views = [F.normalize(model(x), dim=-1) for x in (batch[0], batch[0].flip(1))]
    return F.cross_entropy(views[0] @ views[1].T / 0.2, torch.arange(len(batch[0])))


def penalised(model: Any, batch: Any) -> Tensor:
    return mse(model, batch) + 0.01 * sum(p.abs().sum() for p in model.parameters())  # type: ignore[no-any-return]


def groups(model: Any, lr: float) -> Any:
    decay = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim < 2]
    own: Any = [{"params": decay}, {"params": rest, "weight_decay": 0.0, "lr": 2 * lr}]
    return torch.optim.AdamW(own, lr=lr)


def adam(model: Any, lr: float) -> Any:
    return torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=lr)


def of_transformers() -> Iterator[SetUp]:
    import transformers as t
    from peft import LoraConfig, get_peft_model

    small: dict[str, Any] = {
        "vocab_size": 30,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": 0,
    }
    tokens = (torch.randint(1, 30, (48, 6), generator=torch.Generator().manual_seed(0)),)
    still: dict[str, Any] = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}

    def gpt(**more: Any) -> Any:
        return t.GPT2LMHeadModel(
            t.GPT2Config(n_layer=1, n_head=2, n_embd=8, n_positions=8, **small, **{**still, **more})
        )

    wide: dict[str, Any] = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    wide |= {"intermediate_size": 16, **small}
    yield SetUp("transformers: GPT-2", seeded(gpt), tokens, language, adam)
    yield SetUp(
        "transformers: GPT-2 with dropout",
        seeded(lambda: gpt(resid_pdrop=0.1)),
        tokens,
        language,
        adam,
    )
    bert = t.BertConfig(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **wide)
    yield SetUp(
        "transformers: BERT", seeded(lambda: t.BertForMaskedLM(bert)), tokens, language, adam
    )
    llama = t.LlamaConfig(num_key_value_heads=2, **wide)
    yield SetUp(
        "transformers: Llama", seeded(lambda: t.LlamaForCausalLM(llama)), tokens, language, adam
    )
    t5 = t.T5Config(
        d_model=8,
        d_kv=4,
        d_ff=16,
        num_layers=1,
        num_heads=2,
        dropout_rate=0.0,
        decoder_start_token_id=0,
        **small,
    )
    yield SetUp(
        "transformers: T5", seeded(lambda: t.T5ForConditionalGeneration(t5)), tokens, language, adam
    )
    wanted = LoraConfig(r=2, target_modules=["c_attn"], fan_in_fan_out=True)
    yield SetUp(
        "peft: LoRA on GPT-2", seeded(lambda: get_peft_model(gpt(), wanted)), tokens, language, adam
    )


def set_ups() -> Iterator[SetUp]:
    data, pictures = regression(), images(48)
    X, y = data
    yield SetUp("MLP, SGD", mlp(), data, mse)
    yield SetUp("MLP, Adam", mlp(), data, mse, adam)
    yield SetUp("MLP, groups of parameters, AdamW", mlp(), data, mse, groups)
    yield SetUp("MLP, gradient norm cut", mlp(), data, mse, adam, {"clip_grad_norm": 0.1})
    yield SetUp("MLP, L1 penalty in the step", mlp(), data, penalised)
    yield SetUp(
        "MLP, Rprop (each lane's own)",
        mlp(),
        data,
        mse,
        lambda m, lr: torch.optim.Rprop(m.parameters(), lr=lr),
    )
    yield SetUp(
        "MLP, Adafactor (each lane's own)",
        mlp(),
        data,
        mse,
        lambda m, lr: torch.optim.Adafactor(m.parameters(), lr=lr),
    )
    yield SetUp(
        "MLP with dropout",
        seeded(lambda: nn.Sequential(nn.Linear(5, 8), nn.Dropout(0.3), nn.Linear(8, 1))),
        data,
        mse,
    )
    yield SetUp(
        "MLP, weights normed",
        seeded(
            lambda: nn.Sequential(
                nn.utils.parametrizations.weight_norm(nn.Linear(5, 8)), nn.Tanh(), nn.Linear(8, 1)
            )
        ),
        data,
        mse,
    )
    yield SetUp("CNN with BatchNorm", cnn(), pictures, classes)
    yield SetUp("residual CNN", seeded(Residual), pictures, classes, adam)
    yield SetUp(
        "GroupNorm CNN",
        seeded(
            lambda: nn.Sequential(
                nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
            )
        ),
        pictures,
        classes,
    )
    yield SetUp("RNN", seeded(lambda: Sequence(nn.RNN)), data, mse)
    yield SetUp("GRU", seeded(lambda: Sequence(nn.GRU)), data, mse)
    yield SetUp("LSTM", seeded(lambda: Sequence(nn.LSTM)), data, mse)
    yield SetUp("transformer encoder", seeded(lambda: transformer(0.0)), data, mse)
    yield SetUp("transformer encoder with dropout", seeded(lambda: transformer(0.1)), data, mse)
    yield SetUp("autoencoder, variational", seeded(Variational), data, evidence)
    yield SetUp("contrast (InfoNCE)", seeded(lambda: nn.Linear(5, 4)), data, contrast)
    yield SetUp("heads by domain", seeded(own.Heads), (X, own.DOMAINS, y), mse, adam)
    yield SetUp("mixture of experts", seeded(own.Experts), data, mse, adam)
    yield SetUp("layers dropped at random", seeded(own.Dropped), data, mse, adam)
    yield SetUp("momentum encoder in forward", seeded(own.Momentum), data, mse)
    yield SetUp("weights cut in forward", seeded(own.Clipped), data, mse)
    yield SetUp("gradient hooks", own.hooked(mlp()), data, mse)
    yield SetUp(
        "derivative inside of forward",
        seeded(own.Energy),
        (X, X),
        lambda m, b: (m(b[0]).sum(1) - b[1][:, 0]).square().mean(),
    )
    frozen = mlp()
    frozen[0].requires_grad_(False)  # type: ignore[index]
    yield SetUp("frozen first layer", frozen, data, mse, adam)
    yield from of_transformers()


def plain(setup: SetUp, lr: float) -> nn.Module:
    """PyTorch's own loop."""
    model = copy.deepcopy(setup.model)
    for a, b in zip(setup.model.parameters(), model.parameters(), strict=True):
        for hook in (a._backward_hooks or {}).values():
            b.register_hook(hook)  # type: ignore[no-untyped-call]
    optimizer, n = setup.optimizer(model, lr), len(setup.data[0])
    with forked_random_states(CPU):
        for epoch in range(EPOCHS):
            model.train()
            reseed(CPU, 0, Stream.TRAINING, epoch)
            for J in torch.split(torch.from_numpy(epoch_order(n, B, seed=0, epoch=epoch)), B):
                optimizer.zero_grad()
                setup.step(model, [part[J] for part in setup.data]).backward()  # type: ignore[no-untyped-call]
                if "clip_grad_norm" in setup.options:
                    nn.utils.clip_grad_norm_(model.parameters(), setup.options["clip_grad_norm"])
                optimizer.step()
    return model.eval()


def row(setup: SetUp) -> list[str]:
    """One line of the table."""
    began = time.process_time()
    trained = [plain(setup, lr) for lr in LRS]
    alone = time.process_time() - began
    began = time.process_time()
    result = learnrate.torch.sweep(
        setup.model, setup.data, step=setup.step, lrs=LRS, optimizer=setup.optimizer,
        batch_size=B, epochs=EPOCHS, **setup.options,
    )  # fmt: skip
    spent = time.process_time() - began
    off = 0.0
    for lr, model in zip(LRS, trained, strict=True):
        expected = model.state_dict()
        size = max(float(value.double().abs().max()) for value in expected.values())
        for name, value in result.state_dict(lr).items():
            off = max(off, float((value - expected[name]).double().abs().max()) / size)
    way = "stacked" if "stacked" in result.engine_reason else "one at a time"
    return [setup.name, way, "0" if off == 0 else f"{off:.0e}", f"{alone / spent:.1f}×"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--update", action="store_true", help="write the table into docs/pytorch.md"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    lines = [
        "| set-up | lanes | largest difference | plain loop / sweep |",
        "| --- | --- | --- | --- |",
    ]
    row(next(set_ups()))  # what is loaded on first use
    for setup in set_ups():
        lines.append(f"| {' | '.join(row(setup))} |")
        print(lines[-1], flush=True)
    if arguments.update:
        how = f"{where_and_when()}, torch {torch.__version__}: `python -m benchmarks.torch_truth --update`"
        for page in ("pytorch.md", "pytorch.zh-CN.md"):
            put(DOCS / page, "truth", "\n".join([*lines, "", how, ""]))


if __name__ == "__main__":
    main()
