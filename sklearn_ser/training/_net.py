"""The training loop: a skorch net without the cost of skorch's own loop.

skorch contributes what users know from it (parameters by name, callbacks,
history, saving); batches and steps are our own, because its data loader and
its per-batch bookkeeping take three times as long as the network itself on
small tables. Everything random comes from local generators.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.dataset import Dataset
from skorch.helper import predefined_split
from torch import Tensor

from .._computing import computing, first_weights
from ._batches import Batch, Batches, BatchTransform, TableBatches
from ._callbacks import StopTraining, catch_up, interrupts
from ._losses import n_known


class TrainingNet(NeuralNet):
    """skorch net whose data are a dict of tensors, and whose loop is lean.

    The criterion gets the module's output and the whole batch, and returns a dict of
    losses, of which ``"loss"`` is minimised; the means of all of them over an epoch
    stand in the history as ``train_…`` and ``valid_…``. If a loss averages over only
    part of a batch, ``counted`` of the criterion maps its name to the name of the
    numbers in the batch that are -1 or NaN for the rest. A loss is NaN in the history
    where no batch of the epoch held anything to measure it by.

    Parameters
    ----------
    module, criterion, **kwargs
        As in skorch.
    seed : int
        Root of all that is random.
    batches : callable
        The kind of batches: a child class of `Batches`, or a function that makes one.
    inputs : mapping of str to str or None
        The arguments of the module, and the names in the batch of what they get.
    batch_transform : BatchTransform or None
        See `Batches`.
    augmentation : BatchTransform or None
        Changes a batch that is trained on, after `batch_transform`.
    part : str
        The part of the module that is trained, by its name; all of it for ``""``.
    n_threads : int
        How many threads torch has in training.
    """

    def __init__(
        self,
        module: Any,
        criterion: Any,
        *,
        seed: int = 0,
        batches: Callable[..., Batches] = TableBatches,
        inputs: Mapping[str, str] | None = None,
        batch_transform: BatchTransform | None = None,
        augmentation: BatchTransform | None = None,
        part: str = "",
        n_threads: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, criterion, **kwargs)
        self.seed = seed
        self.batches = batches
        self.inputs = inputs
        self.batch_transform = batch_transform
        self.augmentation = augmentation
        self.part = part
        self.n_threads = n_threads
        self._interrupts: list[int] = []

    def get_default_callbacks(self) -> list[Any]:
        """Return no callbacks: the history is written by the loop itself."""
        return []

    def initialize(self) -> TrainingNet:
        """Initialise everything, leaving torch's global generator as it was."""
        with first_weights(self.seed):
            super().initialize()
        return self

    def notify(self, method_name: str, **kwargs: Any) -> None:
        """Call the callbacks; distinguish their wish to stop from the user's Ctrl-C."""
        try:
            super().notify(method_name, **kwargs)
        except KeyboardInterrupt as wish:
            if self._interrupts:
                raise
            raise StopTraining from wish

    def train_on(
        self,
        data: Mapping[str, Any],
        valid: Mapping[str, Any] | None = None,
        *,
        epochs: int | None = None,
    ) -> None:
        """Train on data.

        skorch's own `partial_fit` would take the user's Ctrl-C for an early stop, and
        silently return a half-trained net.

        Parameters
        ----------
        data : mapping of str to ndarray or Sequences
            With one row per sample; what the kind of batches takes.
        valid : mapping of str to ndarray or Sequences or None, default=None
            The same for the samples that are held out for validation.
        epochs : int or None, default=None
            How many; None stands for `max_epochs`.
        """
        with computing(self.n_threads), interrupts() as self._interrupts:
            self._train_on(data, valid, epochs)

    def _train_on(
        self,
        data: Mapping[str, Any],
        valid: Mapping[str, Any] | None,
        epochs: int | None,
    ) -> None:
        """Train on data, as torch is set now."""
        self.n_epochs = self.max_epochs if epochs is None else epochs
        data = dict(data)
        if valid is not None:
            self.train_split = predefined_split(Dataset(dict(valid)))
        n_before = len(self.history)
        self.notify("on_train_begin", X=data, y=None)
        n_loaded = len(self.history) - n_before
        with contextlib.suppress(StopTraining):
            if n_loaded:
                catch_up(self)
            if epochs is None:  # those of the checkpoint are among them
                epochs = max(0, self.max_epochs - n_loaded)
            self.fit_loop(data, epochs=epochs)
        self.notify("on_train_end", X=data, y=None)

    def get_iterator(self, dataset: Any, training: bool = False) -> Batches:
        """Return the batches of a dataset for one epoch after the other.

        Parameters
        ----------
        dataset : skorch.dataset.Dataset
            Wraps a dict of arrays.
        training : bool, default=False
            Whether to draw order and noise anew in each epoch. Validation draws
            the same in all epochs, so that their losses can be compared.

        Returns
        -------
        Batches
        """
        return self.batches(
            dataset.X,
            batch_size=self.batch_size,
            transforms=[self.batch_transform, self.augmentation if training else None],
            seed=lambda: epoch_seed(self.seed, len(self.history) if training else 0),
            device=self.device,
            training=training,
        )

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Pass a batch through what is trained, or an array through the module."""
        if not isinstance(x, Mapping):
            return self.module_(x, **fit_params)
        inputs = self.inputs or {"x": "X"}
        return self.module_.get_submodule(self.part)(
            **{argument: x[name] for argument, name in inputs.items()}, **fit_params
        )

    def train_step(self, batch: Batch, **fit_params: Any) -> dict[str, Tensor]:
        """Make one step of the optimiser and return the batch's losses."""
        batch["epoch"] = len(self.history)  # for losses that change as they go on
        losses: dict[str, Tensor] = self.criterion_(self.infer(batch), batch)
        self.descend(losses["loss"], batch)
        return losses

    def descend(self, loss: Tensor, batch: Batch) -> None:
        """Make one step of the optimiser on all that a loss depends on."""
        _forget_gradients(self.optimizer_)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.callbacks_:
            self.notify(
                "on_grad_computed",
                named_parameters=list(self.get_all_learnable_params()),
                batch=batch,
                training=True,
            )
        self.optimizer_.step()

    def validation_step(self, batch: Batch, **fit_params: Any) -> dict[str, Tensor]:
        """Return the batch's losses."""
        losses: dict[str, Tensor] = self.criterion_(self.infer(batch), batch)
        return losses

    def run_single_epoch(
        self,
        iterator: Batches | None,
        training: bool,
        prefix: str,
        step_fn: Callable[..., dict[str, Tensor]],
        **fit_params: Any,
    ) -> None:
        """Run one epoch and write the mean losses into the history."""
        if iterator is None:
            return
        for module in (self.module_, self.criterion_):
            module.train(training)
        # What a loss averages over, where that is not the whole batch. How much of it
        # is known is counted at the end, for all batches at once.
        counted = getattr(self.criterion_, "counted", {})
        parts: dict[str, list[Tensor]] = {part: [] for part in counted.values()}
        sizes: list[int] = []
        losses: list[Tensor] = []
        names: list[str] = []
        with torch.set_grad_enabled(training):
            for batch in iterator:
                self.notify("on_batch_begin", batch=batch, training=training)
                step = step_fn(batch, **fit_params)
                self.notify("on_batch_end", batch=batch, training=training, **step)
                names = list(step)
                losses.extend(value.detach() for value in step.values())
                sizes.append(len(batch["X"]))
                for part, values in parts.items():
                    if part in batch:
                        values.append(batch[part])
        of_batches = torch.stack(losses).cpu().numpy().reshape(-1, len(names))
        known = {part: n_known(values) for part, values in parts.items() if values}
        whole = np.array(sizes)
        weights = np.stack(
            [known[counted[n]] if n in counted else whole for n in names], axis=1
        )
        means = _means(of_batches, weights)
        if not np.isfinite(of_batches[:, names.index("loss")]).all():
            raise ValueError(
                f"Training diverged: the {prefix} loss of epoch {len(self.history)} "
                "is not finite. Standardise the features or lower lr."
            )
        for name, mean in zip(names, means, strict=True):
            self.history.record(f"{prefix}_{name}", float(mean))
        # What callbacks of skorch look for.
        *earlier, last = self.history[:, f"{prefix}_loss"]
        self.history.record(f"{prefix}_loss_best", last < min(earlier, default=np.inf))
        self.history.record(f"{prefix}_batch_count", len(weights))


def _forget_gradients(optimizer: torch.optim.Optimizer) -> None:
    """Set all gradients to None, as `zero_grad` does, at a tenth of its cost."""
    if type(optimizer).zero_grad is not torch.optim.Optimizer.zero_grad:
        optimizer.zero_grad()  # a user's own, which may do more
        return
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = None


def _means(of_batches: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return the mean of each loss over the batches that have measured it, or NaN."""
    weights = np.where(np.isnan(of_batches), 0, weights)
    totals = np.where(weights > 0, of_batches * weights, 0).sum(axis=0)
    with np.errstate(invalid="ignore"):
        means: NDArray[Any] = totals / weights.sum(axis=0)
    return means


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
