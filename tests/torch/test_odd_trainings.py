"""What some people's trainings hold and most do not: followed as the plain loop goes, or refused by name."""

from __future__ import annotations

import copy
import gc
import weakref
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset

from learnrate.data.order import epoch_order
from learnrate.errors import DataError, LearnrateError, OptionError
from learnrate.torch.batches import moved
from learnrate.torch.randomness import Stream, forked_random_states, reseed
from learnrate.torch.trace import Traced
from tests.torch.models import CPU, mlp, seeded
from tests.torch.test_step import LRS, MSE, B, X, Y, assert_same, own_loop, step, swept


def plain(m: nn.Module, lr: float) -> Any:
    return torch.optim.SGD(m.parameters(), lr=lr)


class SharpnessAware(torch.optim.Optimizer):
    """As it is on GitHub: the closure is asked for by an error, and the gradient has to be there already."""

    def __init__(self, params: Any, lr: float) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        assert closure is not None, "SAM requires closure"
        own = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        norm = torch.stack([p.grad.norm() for p in own]).norm() + 1e-12
        before = [p.clone() for p in own]
        for p in own:
            p += 0.05 * p.grad / norm
        with torch.enable_grad():
            closure()
        for p, old in zip(own, before, strict=True):
            p.copy_(old - self.param_groups[0]["lr"] * p.grad)


def newton(m: nn.Module, lr: float) -> Any:
    return torch.optim.LBFGS(m.parameters(), lr=lr, max_iter=2)


@pytest.mark.parametrize("at_once", ["auto", 1])
@pytest.mark.parametrize("make", [newton, lambda m, lr: SharpnessAware(m.parameters(), lr)])
def test_a_closure_computes_the_loss_and_cuts_the_gradient(make: Any, at_once: Any) -> None:
    model = mlp()
    optimizer = make(model, LRS[1])
    with forked_random_states(CPU):
        for epoch in range(3):
            reseed(CPU, 0, Stream.TRAINING, epoch)
            for J in torch.split(torch.from_numpy(epoch_order(70, B, seed=0, epoch=epoch)), B):

                def closure(J: Tensor = J) -> Tensor:
                    optimizer.zero_grad()
                    loss = step(model, (X[J], Y[J]))
                    loss.backward()  # type: ignore[no-untyped-call]
                    nn.utils.clip_grad_norm_(model.parameters(), 0.1)
                    return loss

                closure()
                optimizer.step(closure)
    result = swept(mlp(), optimizer=make, clip_grad_norm=0.1, lanes_at_once=at_once)
    assert_same(result, model)
    assert at_once == 1 or "computes the loss again" in result.notes[0]


def test_a_closure_does_not_go_with_scaled_losses() -> None:
    data = (X.float(), Y.float())
    with pytest.raises(OptionError, match="Got 'fp16' with LBFGS"):
        swept(mlp().float(), data, optimizer=newton, precision="fp16")


OUTSIDE = nn.Linear(1, 1).double()


def one_cycle(rate: float) -> Any:
    kept: dict[str, Any] = {"total_steps": 15, "cycle_momentum": False}
    return lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, **kept)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"optimizer": lambda m, lr: torch.optim.SGD(m.parameters(), lr=0.1)}, "must use the learning rate"),
        ({"schedule": one_cycle(0.1)}, "must go by the optimizer's learning rate"),
        ({"schedule": one_cycle(0.1), "optimizer": torch.optim.Rprop}, "must go by the optimizer's"),
        (
            {"schedule": lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=4)},
            "a rate for each of the 15 steps",
        ),
        ({"schedule": type("Own", (), {"__init__": lambda self, o: None})}, "Got Own instead"),
        ({"step": lambda m, b: [step(m, b), step(m, b)]}, "Got list instead; add up losses"),
        ({"hold": "yes"}, "hold must be True or False"),
        ({"optimizer_options": {"lr": 0.1}}, "since lrs are the learning rates"),
        (
            {"schedule": torch.optim.lr_scheduler.ExponentialLR(plain(OUTSIDE, 0.1), 0.5)},
            "Got ExponentialLR of another optimizer",
        ),
        ({"step": lambda m, b: {"loss": step(m, b)}}, "Got dict instead."),
        ({"step": lambda m, b: backward(step(m, b))}, "leave backward()"),
        ({"step": lambda m, b: MSE(OUTSIDE(m(b[0])), b[1])}, "make it a part of the model"),
    ],
)  # fmt: skip
def test_what_makes_no_sweep_is_said(change: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError) as caught:
        swept(mlp(), **change)
    assert words in str(caught.value)


def backward(loss: Tensor) -> Tensor:
    loss.backward()  # type: ignore[no-untyped-call]
    return loss


def tensor_rate(m: nn.Module, lr: float) -> Any:
    return torch.optim.Adam(m.parameters(), lr=torch.tensor(lr))


def test_a_rate_that_is_a_tensor_is_taken_as_it_is() -> None:
    result = swept(mlp(), optimizer=tensor_rate)
    assert "stacked" in result.engine_reason
    assert_same(result, own_loop(mlp(), tensor_rate))


def only_the_last(m: Any, lr: float) -> Any:
    return torch.optim.SGD(m[2].parameters(), lr=lr)


@pytest.mark.parametrize("at_once", ["auto", 1])
def test_parameters_that_the_optimizer_was_not_given_are_named(at_once: Any) -> None:
    result = swept(mlp(), optimizer=only_the_last, lanes_at_once=at_once)
    assert result.notes[-1].endswith("for the optimizer was not given them: 0.weight, 0.bias.")


def adversary(model: Any, batch: Any, state: dict[str, Any]) -> Tensor:
    """A network that an optimizer of its own trains inside of the step."""
    if "optimizer" not in state:
        state["optimizer"] = torch.optim.Adam(model["judge"].parameters(), lr=0.01)
    x = batch[0]
    fake = model["maker"](torch.randn(len(x), 2, dtype=x.dtype))
    if model.training:
        judge = model["judge"]
        loss = nn.functional.softplus(-judge(x)).mean()
        loss = loss + nn.functional.softplus(judge(fake.detach())).mean()
        state["optimizer"].zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        state["optimizer"].step()
    return nn.functional.softplus(-model["judge"](fake)).mean()


def of_the_maker(model: Any, lr: float) -> Any:
    return torch.optim.SGD(model["maker"].parameters(), lr=lr)


@pytest.mark.parametrize("at_once", ["auto", 1])
def test_two_networks_with_an_optimizer_each(at_once: Any) -> None:
    def pair() -> nn.Module:
        return seeded(lambda: nn.ModuleDict({"maker": nn.Linear(2, 5), "judge": nn.Linear(5, 1)}))

    kept: dict[str, Any] = {}
    result = swept(pair(), step=adversary, optimizer=of_the_maker, lanes_at_once=at_once)
    own = own_loop(pair(), of_the_maker, step=lambda m, b: adversary(m, b, kept))
    assert_same(result, own)
    assert not [note for note in result.notes if "not given" in note]


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.SparseAdam])
def test_sparse_gradients(optimizer: Any) -> None:
    def build() -> nn.Module:
        table = nn.Embedding(9, 1, sparse=True)
        return seeded(lambda: nn.Sequential(table, nn.Flatten()))

    def mean(model: nn.Module, batch: Any) -> Tensor:
        words = (2 * batch[0]).round().clamp(-4, 4).long() + 4
        return MSE(model(words).sum(1, keepdim=True), batch[1])

    model = build()
    result = swept(copy.deepcopy(model), step=mean, optimizer=optimizer)
    own = own_loop(model, lambda m, lr: optimizer(m.parameters(), lr=lr), step=mean)
    assert_same(result, own)
    assert "the gradient of '0.weight' is sparse" in result.notes[0]


def test_transforms_of_functions_in_a_step() -> None:
    def steep(model: nn.Module, batch: Any) -> Tensor:
        slopes = torch.func.vmap(torch.func.jacrev(lambda x: model(x[None])[0]))(batch[0])
        return step(model, batch) + slopes.square().mean()  # type: ignore[no-any-return]

    assert_same(swept(mlp(), step=steep), own_loop(mlp(), plain, step=steep))


class Ragged(Dataset[Any]):
    """Sequences of lengths of their own."""

    def __len__(self) -> int:
        return 70

    def __getitem__(self, i: int) -> Any:
        return X[i, : 2 + i % 4, None], Y[i]


def packed(items: Any) -> Any:
    sequences, y = zip(*items, strict=True)
    return nn.utils.rnn.pack_sequence(list(sequences), enforce_sorted=False), torch.stack(y)


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.read, self.out = nn.GRU(1, 3), nn.Linear(3, 1)

    def forward(self, sequences: Any) -> Tensor:
        return self.out(self.read(sequences)[1][0])  # type: ignore[no-any-return]


def test_packed_sequences() -> None:
    loader = DataLoader(Ragged(), batch_size=B, shuffle=True, collate_fn=packed)
    result = swept(seeded(Reader), loader, batch_size=None)
    own = seeded(Reader)
    optimizer, items = plain(own, LRS[1]), Ragged()
    for epoch in range(3):
        for J in torch.split(torch.from_numpy(epoch_order(70, B, seed=0, epoch=epoch)), B):
            optimizer.zero_grad()
            step(own, packed([items[int(i)] for i in J])).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    assert_same(result, own)


class Graph:
    """Moves itself."""

    at = "cpu"

    def to(self, device: Any) -> Graph:
        self.at = str(device)
        return self


def test_what_moves_itself_is_moved_inside_of_a_structure() -> None:
    meta = torch.device("meta")
    batch = (
        [Graph()],
        defaultdict(Tensor, x=torch.zeros(2)),
        packed([Ragged()[i] for i in range(3)]),
    )
    (graph,), named, (sequences, _) = moved(batch, meta, torch.float64)
    assert graph.at == "meta"
    assert named["x"].is_meta
    assert sequences.data.is_meta
    assert not sequences.batch_sizes.is_meta  # as PyTorch wants them


class Named(Dataset[Any]):
    """Items with text of their own."""

    def __len__(self) -> int:
        return 70

    def __getitem__(self, i: int) -> Any:
        return {"x": X[i], "y": Y[i], "file": f"{i}.png"}


def test_minibatches_with_text_are_not_kept() -> None:
    kept: list[Any] = []
    alive, recorders = [0], [0]

    def all_recorders() -> int:
        return sum(type(thing) is Traced for thing in gc.get_objects())

    gc.collect()
    before = all_recorders()

    def collate(items: Any) -> Any:
        batch = torch.utils.data.default_collate(items)
        kept.append(weakref.ref(batch["x"]))
        if len(kept) % 20 == 0:
            alive.append(sum(of() is not None for of in kept))
            recorders.append(all_recorders() - before)
        return batch

    loader = DataLoader(Named(), batch_size=B, shuffle=True, collate_fn=collate)
    result = swept(
        mlp(), loader, step=lambda m, b: step(m, (b["x"], b["y"])), epochs=20, batch_size=None
    )
    assert "stacked" in result.engine_reason
    assert max(alive) < 10
    assert max(recorders) < 80


class Counting(Dataset[Any]):
    """Goes by how often it was read."""

    def __init__(self) -> None:
        self.times = 0

    def __len__(self) -> int:
        return 70

    def __getitem__(self, i: int) -> Any:
        self.times += 1
        return X[i] + 0.01 * (self.times % 7), Y[i]


def test_data_that_cannot_be_read_again_are_named_and_not_the_model() -> None:
    loader = DataLoader(Counting(), batch_size=B, shuffle=True)
    with pytest.raises(DataError, match=r"the same minibatch when they are read again"):
        swept(mlp(), loader, batch_size=None)
    assert swept(mlp(), loader, batch_size=None, hold=True).losses.shape == (1, 2, 4)


class Empty(IterableDataset[Any]):
    """Ends for good."""

    def __init__(self) -> None:
        self.rows = iter([(X[i], Y[i]) for i in range(40)])

    def __iter__(self) -> Iterator[Any]:
        return self.rows


def test_our_own_complaints_about_data_are_not_wrapped() -> None:
    with pytest.raises(DataError, match=r"^A stream must give at least one minibatch"):
        swept(mlp(), DataLoader(Empty(), batch_size=B), batch_size=None, epochs=None, steps=20)


class Wrapped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = mlp()

    def forward(self, *given: Any) -> Tensor:
        return self.net(given[0])  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("build", "words"), [(Wrapped, "takes any number of inputs"), (mlp, "one that takes 1 instead")]
)
def test_a_target_is_never_a_second_input(build: Any, words: str) -> None:
    with pytest.raises(OptionError, match=rf"{words}; if an item holds|{words}"):
        swept(build(), (X, Y, torch.ones(70, 1)), step=None, loss="mse")


class Speaker(nn.Module):
    def __init__(self, words: int) -> None:
        super().__init__()
        self.embed, self.out = nn.Embedding(words, 4), nn.Linear(4, words)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.out(self.embed(tokens))  # type: ignore[no-any-return]


def test_accuracy_of_a_language_model() -> None:
    tokens = torch.randint(7, (40, 5), generator=torch.Generator().manual_seed(0))
    target = tokens.roll(1, 1)
    target[:, 0] = -100  # which cross entropy leaves out
    model = seeded(lambda: Speaker(7))
    result = swept(model, (tokens, target), step=None, loss="cross-entropy", metrics="accuracy")
    answers = result.model(LRS[1])(tokens).argmax(-1)
    right = (answers == target)[:, 1:].double().mean()
    assert result.metrics["accuracy"][0, 1, -1] == pytest.approx(float(right))


def test_logits_that_could_be_read_in_two_ways() -> None:
    tokens = torch.randint(5, (40, 5), generator=torch.Generator().manual_seed(0))
    with pytest.raises(OptionError, match="the second or the last"):
        swept(seeded(lambda: Speaker(5)), (tokens, tokens), step=None, loss="cross-entropy")


def test_an_output_with_logits_is_shown_how_to_be_used() -> None:
    class Output(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = mlp(out=3)

        def forward(self, x: Tensor) -> Any:
            return type("Answer", (), {"logits": self.net(x)})()

    labels = torch.arange(70) % 3
    with pytest.raises(LearnrateError, match=r"cross_entropy\(output\.logits, target\)"):
        swept(Output(), (X, labels), step=None, loss="cross-entropy")


def test_state_in_a_container_around_a_step_is_named() -> None:
    held: dict[str, Any] = {"teacher": [mlp().requires_grad_(False)][0]}

    def taught(model: nn.Module, batch: Any) -> Tensor:
        with torch.no_grad():
            for a, b in zip(model.parameters(), held["teacher"].parameters(), strict=True):
                b.lerp_(a, 0.1)
        return step(model, batch) + MSE(model(batch[0]), held["teacher"](batch[0]))

    with pytest.raises(OptionError, match="'held' of a function has changed"):
        swept(
            seeded(lambda: nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1)), 1),
            step=taught,
        )
