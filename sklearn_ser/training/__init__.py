"""What the methods share: labels, batches, the net, its state."""
