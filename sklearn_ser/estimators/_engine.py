"""The training loop: a skorch net without the cost of skorch's own loop.

skorch contributes what users know from it (parameters by name, callbacks,
history, saving); batches and steps are our own, because its data loader and
its per-batch bookkeeping take three times as long as the network itself on
small tables. Everything random comes from local generators.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.dataset import Dataset
from skorch.helper import predefined_split
from threadpoolctl import threadpool_limits
from torch import Tensor
from tqdm.auto import tqdm

Batch = dict[str, Tensor]
Corruption = Callable[[Batch, torch.Generator], Batch]


class StopTraining(Exception):  # noqa: N818 - a signal, not an error
    """Raised where a callback ends the training, by skorch's convention."""


# Modules draw their first weights from torch's global generator, which threads
# share: one net at a time, with the generator's state put back afterwards.
_INITIALISATION = threading.Lock()


def _renew_lock() -> None:
    """Free the lock in a forked process: who held it is not there any more."""
    global _INITIALISATION
    _INITIALISATION = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def one_thread() -> Any:
    """Limit torch to one thread in a block, for the calling thread only.

    More threads make networks of this size several times slower; their sums round
    otherwise than those of a worker process, which has one; and a forked process
    waits for ever for those of its parent.

    Returns
    -------
    context manager
    """
    return threadpool_limits(limits=1, user_api="openmp")


class EpochBatches:
    """Batches of equally long tensors: permuted once an epoch, then split.

    Parameters
    ----------
    data : mapping of str to Tensor
        Tensors with one row per sample, all on one device.
    batch_size : int
        Rows in a batch; the last one may be smaller.
    corrupt : callable or None
        Given the data and a generator, returns the data that the network sees.
    seed : callable
        Gives the seed of the epoch that begins.
    """

    def __init__(
        self,
        data: Mapping[str, Tensor],
        *,
        batch_size: int,
        corrupt: Corruption | None,
        seed: Callable[[], int],
    ) -> None:
        self.data = dict(data)
        self.batch_size = batch_size
        self.corrupt = corrupt
        self.seed = seed

    def __iter__(self) -> Iterator[Batch]:
        data = self.data
        first = next(iter(data.values()))
        # Drawn on the CPU, so that a seed means the same on every device.
        generator = torch.Generator().manual_seed(self.seed())
        order = torch.randperm(len(first), generator=generator).to(first.device)
        data = {name: values[order] for name, values in data.items()}
        if self.corrupt is not None:
            data = self.corrupt(data, generator)
        splits = [torch.split(values, self.batch_size) for values in data.values()]
        for parts in zip(*splits, strict=True):
            yield dict(zip(data, parts, strict=True))


class TrainingNet(NeuralNet):
    """skorch net whose data are a dict of tensors, and whose loop is lean.

    The criterion gets the module's output and the whole batch, and returns a
    dict of losses, of which ``"loss"`` is minimised; the means of all of them
    over an epoch stand in the history as ``train_…`` and ``valid_…``.

    Parameters
    ----------
    module, criterion, **kwargs
        As in skorch.
    seed : int
        Root of all that is random.
    network_input : str
        Name of the tensor that the module gets.
    corrupt : callable or None
        See `EpochBatches`.
    """

    def __init__(
        self,
        module: Any,
        criterion: Any,
        *,
        seed: int = 0,
        network_input: str = "X",
        corrupt: Corruption | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, criterion, **kwargs)
        self.seed = seed
        self.network_input = network_input
        self.corrupt = corrupt

    def get_default_callbacks(self) -> list[Any]:
        """Return no callbacks: the history is written by the loop itself."""
        return []

    def initialize(self) -> TrainingNet:
        """Initialise everything, leaving torch's global generator as it was."""
        with _INITIALISATION:
            state = torch.default_generator.get_state()
            try:
                torch.default_generator.manual_seed(self.seed)
                super().initialize()
            finally:
                torch.default_generator.set_state(state)
        return self

    def notify(self, method_name: str, **kwargs: Any) -> None:
        """Call the callbacks; tell their wish to stop from the user's Ctrl-C."""
        try:
            super().notify(method_name, **kwargs)
        except KeyboardInterrupt as wish:
            raise StopTraining from wish

    def train_on(
        self,
        data: Mapping[str, NDArray[Any]],
        valid: Mapping[str, NDArray[Any]] | None = None,
        *,
        epochs: int | None = None,
    ) -> None:
        """Train on arrays.

        skorch's own `partial_fit` would take the user's Ctrl-C for an early stop,
        and hand out a half-trained net in silence.

        Parameters
        ----------
        data : mapping of str to ndarray
            Arrays with one row per sample.
        valid : mapping of str to ndarray or None, default=None
            The same for the samples that are held out for validation.
        epochs : int or None, default=None
            How many; None stands for `max_epochs`.
        """
        with one_thread():
            self._train_on(data, valid, epochs)

    def _train_on(
        self,
        data: Mapping[str, NDArray[Any]],
        valid: Mapping[str, NDArray[Any]] | None,
        epochs: int | None,
    ) -> None:
        """Train on arrays, on as many threads as torch has now."""
        self.n_epochs = self.max_epochs if epochs is None else epochs
        tensors = self._to_device(data)
        if valid is not None:
            self.train_split = predefined_split(Dataset(self._to_device(valid)))
        self.notify("on_train_begin", X=tensors, y=None)
        with contextlib.suppress(StopTraining):
            self.fit_loop(tensors, epochs=epochs)
        self.notify("on_train_end", X=tensors, y=None)

    def _to_device(self, data: Mapping[str, NDArray[Any]]) -> Batch:
        """Copy arrays to the device of the net."""
        return {
            name: torch.tensor(np.ascontiguousarray(values), device=self.device)
            for name, values in data.items()
        }

    def get_iterator(self, dataset: Any, training: bool = False) -> EpochBatches:
        """Return the batches of a dataset for one epoch after the other.

        Parameters
        ----------
        dataset : skorch.dataset.Dataset
            Wraps a dict of tensors.
        training : bool, default=False
            Whether to draw order and noise anew in each epoch. Validation draws
            the same in all epochs, so that their losses can be compared.

        Returns
        -------
        EpochBatches
        """
        return EpochBatches(
            dataset.X,
            batch_size=self.batch_size,
            corrupt=self.corrupt,
            seed=lambda: epoch_seed(self.seed, len(self.history) if training else 0),
        )

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Pass a batch, or its network input alone, through the module."""
        if isinstance(x, Mapping):
            x = x[self.network_input]
        return self.module_(x, **fit_params)

    def train_step(self, batch: Batch, **fit_params: Any) -> dict[str, Tensor]:
        """Make one step of the optimiser and return the batch's losses."""
        self.optimizer_.zero_grad()
        losses: dict[str, Tensor] = self.criterion_(self.infer(batch), batch)
        losses["loss"].backward()  # type: ignore[no-untyped-call]
        if self.callbacks_:
            self.notify(
                "on_grad_computed",
                named_parameters=list(self.get_all_learnable_params()),
                batch=batch,
                training=True,
            )
        self.optimizer_.step()
        return losses

    def validation_step(self, batch: Batch, **fit_params: Any) -> dict[str, Tensor]:
        """Return the batch's losses."""
        losses: dict[str, Tensor] = self.criterion_(self.infer(batch), batch)
        return losses

    def run_single_epoch(
        self,
        iterator: EpochBatches | None,
        training: bool,
        prefix: str,
        step_fn: Callable[..., dict[str, Tensor]],
        **fit_params: Any,
    ) -> None:
        """Run one epoch and write the mean losses into the history."""
        if iterator is None:
            return
        self._set_training(training)
        sizes: list[int] = []
        losses: list[Tensor] = []
        names: list[str] = []
        with torch.set_grad_enabled(training):
            for batch in iterator:
                self.notify("on_batch_begin", batch=batch, training=training)
                step = step_fn(batch, **fit_params)
                self.notify("on_batch_end", batch=batch, training=training, **step)
                names = list(step)
                sizes.append(len(batch[self.network_input]))
                losses.extend(value.detach() for value in step.values())
        of_batches = torch.stack(losses).cpu().numpy().reshape(len(sizes), len(names))
        means = np.average(of_batches, axis=0, weights=sizes)
        if not np.isfinite(means[names.index("loss")]):
            raise ValueError(
                f"Training diverged: the {prefix} loss of epoch {len(self.history)} "
                "is not finite. Standardise the features (StandardScaler) or "
                "lower lr."
            )
        for name, mean in zip(names, means, strict=True):
            self.history.record(f"{prefix}_{name}", float(mean))


class EpochProgress(Callback):
    """A progress bar over the epochs, with the latest losses beside it.

    Parameters
    ----------
    description : str
        What stands before the bar.
    """

    def __init__(self, description: str = "") -> None:
        self.description = description

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Open the bar."""
        self.bar_ = tqdm(total=net.n_epochs, desc=self.description, unit="epoch")

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Advance the bar by an epoch."""
        last = net.history[-1]
        self.bar_.set_postfix(
            {k: f"{last[k]:.3g}" for k in ("train_loss", "valid_loss") if k in last},
            refresh=False,
        )
        self.bar_.update()

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Close the bar."""
        self.bar_.close()


def epoch_seed(seed: int, epoch: int) -> int:
    """Derive the seed of an epoch; nothing has to be kept between epochs.

    Parameters
    ----------
    seed : int
        Seed of the fit.
    epoch : int
        Number of the epoch, from one; zero for what all epochs share.

    Returns
    -------
    int
        A seed for `torch.Generator`.
    """
    return int(np.random.SeedSequence((seed, epoch)).generate_state(1)[0])
