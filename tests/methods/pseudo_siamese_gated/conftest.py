"""A watch on the phases of training."""

from types import SimpleNamespace

import pytest
from skorch.callbacks import Callback

from tests.methods.pseudo_siamese_gated.helpers import state_of


@pytest.fixture
def watch():
    """Return a list of what happens in each phase, and net_params that fill it."""
    phases = []

    class Watch(Callback):
        def on_train_begin(self, net, **kwargs):
            phase = SimpleNamespace(net=net, batches=[], held_out=[], states=[])
            phase.before = state_of(net.module_)
            phases.append(phase)

        def on_batch_begin(self, net, batch, training, **kwargs):
            phase = phases[-1]
            (phase.batches if training else phase.held_out).append(dict(batch))

        def on_epoch_end(self, net, **kwargs):
            phases[-1].states.append(state_of(net.module_))

        def on_train_end(self, net, **kwargs):
            phases[-1].after = state_of(net.module_)

    return phases, {"callbacks": [Watch()]}
