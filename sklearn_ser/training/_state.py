"""What is trained as plain arrays and dicts, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._net import TrainingNet

# What skorch's callbacks need in a history, and its reader does not.
_OF_SKORCH = {
    "batches",
    *("train_loss_best", "train_batch_count"),
    *("valid_loss_best", "valid_batch_count"),
}


def plain_history(net: TrainingNet) -> list[dict[str, Any]]:
    """Return the history of a net as plain dicts, one for each epoch.

    Parameters
    ----------
    net : TrainingNet
        A trained net.

    Returns
    -------
    list of dict
    """
    return [
        {
            # Of a learning rate, what numpy made of it.
            name: float(value) if isinstance(value, np.floating) else value
            for name, value in epoch.items()
            if name not in _OF_SKORCH
        }
        for epoch in net.history
    ]


def to_numpy(tree: Any) -> Any:
    """Turn the tensors of nested dicts and lists into numpy arrays.

    Parameters
    ----------
    tree : Any
        Nested dicts, lists and tuples, such as a state dict of torch.

    Returns
    -------
    Any
        The same, with lists for tuples.
    """
    if isinstance(tree, Tensor):
        return tree.detach().cpu().numpy().copy()
    if isinstance(tree, Mapping):
        return {key: to_numpy(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [to_numpy(value) for value in tree]
    return tree


def to_torch(tree: Any) -> Any:
    """Turn the numpy arrays of nested dicts and lists into tensors.

    Parameters
    ----------
    tree : Any
        What `to_numpy` returns.

    Returns
    -------
    Any
    """
    if isinstance(tree, np.ndarray | np.generic):
        return torch.tensor(tree, device="cpu")
    if isinstance(tree, Mapping):
        return {key: to_torch(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [to_torch(value) for value in tree]
    return tree
