"""Batches in which labels meet, however few there are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...training._batches import TableBatches

# The metric loss is of pairs of labelled rows: so many are needed in a batch.
_LEAST = 2


class LabeledBatches(TableBatches):
    """Rows of tables, of which the labelled ones are dealt evenly to the batches.

    A batch that still has fewer than two gets some of the others once more, beyond the
    size of the batches, so that each step learns from labels. Where all rows are
    labelled, the order is the plain permutation.
    """

    def deal(self, generator: torch.Generator) -> Sequence[Tensor]:
        """Return the rows of each batch.

        Parameters
        ----------
        generator : torch.Generator
            Where the order is drawn.

        Returns
        -------
        sequence of Tensor of shape (n_rows,), int64
        """
        plain = super().deal(generator)
        known = ~self.data["labels"].isnan().cpu()
        if self.batch_size < _LEAST or bool(known.all()):
            return plain
        # Rows lie together if they have the same labels, and side by side if they
        # share one: then each label is spread evenly where every n-th row is taken.
        kind = known[:, -1].int() - known[:, 0].int()
        kind[~known.any(dim=1)] = 2
        order = torch.cat(list(plain))
        order = order[kind[order].argsort(stable=True)]
        dealt = [order[first :: len(plain)] for first in range(len(plain))]
        return [_with_pairs(rows, known, generator) for rows in dealt]


def _with_pairs(rows: Tensor, known: Tensor, generator: torch.Generator) -> Tensor:
    """Return the rows of a batch, with more of those that it has too few labels of."""
    for labeled in known.unbind(dim=1):
        lacks = _LEAST - int(labeled[rows].sum())
        if lacks > 0:
            others = labeled.clone()
            others[rows] = False
            of_others = others.nonzero()[:, 0]
            drawn = torch.randperm(len(of_others), generator=generator)[:lacks]
            rows = torch.cat([rows, of_others[drawn]])
    return rows
