"""The network of Lian et al. (2018): published sizes, cheaper pooling."""

import pytest
import torch

from sklearn_ser.losses import ContrastiveSiameseLoss
from sklearn_ser.nets import SiameseCNN


def plain_cnn(net, x):
    """Pass a batch through the network as the paper writes it, layer by layer."""
    parts = []
    for branch in net.branches:
        x_k = branch[1](branch[0](x.transpose(1, 2)))
        parts.append(torch.nn.functional.max_pool1d(x_k.relu(), 30, 3))
    return torch.cat(parts, dim=1).flatten(1)


@pytest.mark.parametrize(
    ("n_features", "n_frames", "expected"),
    [(13, 898, 258_604), (13, 900, 259_404), (13, 901, 259_404), (26, 898, 284_604)],
)
def test_published_network(n_features, n_frames, expected):
    net = SiameseCNN(n_features, n_frames, n_classes=4)
    assert sum(p.numel() for p in net.parameters()) == expected


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("n_frames", [30, 32, 33, 97])
def test_cheaper_pooling_gives_the_same_values_and_gradients(training, n_frames):
    generator = torch.Generator().manual_seed(0)
    net = SiameseCNN(3, n_frames, 2, n_filters=5).double().train(training)
    x = torch.randn(4, n_frames, 3, generator=generator, dtype=torch.float64)
    ours, plain = net(x).features, plain_cnn(net, x)
    assert torch.equal(ours, plain)
    assert ours.shape == (4, net.n_features_out)
    weights = torch.randn(ours.shape, generator=generator, dtype=torch.float64)
    inner = list(net.branches.parameters())
    for a, b in zip(
        torch.autograd.grad((ours * weights).sum(), inner),
        torch.autograd.grad((plain * weights).sum(), inner),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def test_pooling_that_cannot_be_split_and_other_sizes():
    x = torch.randn(2, 40, 3)
    for size, stride in [(30, 4), (5, 1), (6, 3)]:
        net = SiameseCNN(3, 40, 2, 4, (5,), size, stride, n_auxiliary=6)
        output = net(x)
        assert output.features.shape == (2, 4 * ((40 - size) // stride + 1))
        assert output.auxiliary.shape == (2, 6)
    assert SiameseCNN(3, 40, 2)(x).auxiliary is None
    with pytest.raises(ValueError, match=r"kernel_sizes must be odd.* got \(13, 8\)"):
        SiameseCNN(3, 40, 2, kernel_sizes=(13, 8))
    with pytest.raises(ValueError, match="at least pool_size=30, got 29"):
        SiameseCNN(3, 29, 2)
    with pytest.raises(ValueError, match="takes 40 frames, got 39"):
        SiameseCNN(3, 40, 2)(x[:, :39])


def test_branches_share_weights_and_statistics():
    """Swapping the branches, or the pairs, changes no loss of a joint batch."""
    x = torch.randn(8, 40, 3, dtype=torch.float64)
    y = torch.tensor([0, 1, 0, 1, 0, 0, 1, 1])
    loss = ContrastiveSiameseLoss()
    net = SiameseCNN(3, 40, 2, n_filters=4).double()
    expected = loss(net(x), {"y": y})
    for order in ([4, 5, 6, 7, 0, 1, 2, 3], [2, 0, 3, 1, 6, 4, 7, 5]):
        moved = loss(net(x[order]), {"y": y[order]})
        for name, value in expected.items():
            torch.testing.assert_close(moved[name], value)
    features = net(x).features
    assert (features >= 0).all()
    assert 0 <= expected["contrastive_loss"] <= 1


def test_attention_in_the_place_of_the_maximum():
    net = SiameseCNN(3, 40, 2, n_filters=4, pooling="attention").double().eval()
    x, lengths = torch.randn(2, 40, 3, dtype=torch.float64), torch.tensor([40, 12])
    output = net(x, lengths)
    assert output.features.shape == (2, net.n_features_out) == (2, 8)
    parts = [branch[1](branch[0](x.transpose(1, 2))).relu() for branch in net.branches]
    for row, length in enumerate(lengths):
        frames = torch.cat([part[row] for part in parts])[:, :length]
        scores = (net.attention.score.weight[0] @ frames).exp()
        expected = frames @ scores / scores.sum()
        torch.testing.assert_close(output.features[row], expected)
    torch.testing.assert_close(net(x).features[0], output.features[0])
    with pytest.raises(ValueError, match=r"pooling must be one of .* got 'mean'"):
        SiameseCNN(3, 40, 2, pooling="mean")


def test_dropout_stands_before_the_linear_layers_alone():
    net = SiameseCNN(3, 40, 2, n_filters=4, n_auxiliary=3, dropout=0.5).double()
    x = torch.randn(5, 40, 3, dtype=torch.float64)
    output = net(x, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(output.features, net(x).features)
    kept = net.dropout(output.features, torch.Generator().manual_seed(3))
    torch.testing.assert_close(output.logits, net.head(kept))
    torch.testing.assert_close(output.auxiliary, net.auxiliary_head(kept))
    assert not torch.allclose(output.logits, net.head(output.features))
    net.eval()
    output = net(x)
    torch.testing.assert_close(output.logits, net.head(output.features))
