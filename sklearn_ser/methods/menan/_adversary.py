"""The training of two adversaries, batch by batch."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..._constants import UNKNOWN
from ...training._batches import Batch
from ...training._net import TrainingNet


class AdversarialNet(TrainingNet):
    """Net whose speaker head and encoder learn against each other, batch by batch."""

    def train_step(self, batch: Batch, **fit_params: Any) -> dict[str, Tensor]:
        """Make a step of the speaker head alone, then one of all the rest."""
        module, criterion = self.module_, self.criterion_
        if not criterion.alternates or module.speaker_head is None:
            return super().train_step(batch, **fit_params)
        batch["epoch"] = len(self.history)
        encoded = module.encode(batch["X"], batch["lengths"])
        # The same for both steps.
        representation = module.dropout(encoded, batch["generator"])
        told = module.speaker_head(representation.detach())
        speaker_loss = criterion.speaker_loss(told, batch["speaker"])
        if bool((batch["speaker"] != UNKNOWN).any()):
            # One optimiser serves both: it skips parameters without a gradient.
            self.descend(speaker_loss, batch)
        output = module.classify(representation, freeze_speaker_head=True)
        losses: dict[str, Tensor] = criterion(output, batch)
        self.descend(losses["loss"], batch)
        return losses | {"speaker_loss": speaker_loss}
