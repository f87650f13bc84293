"""What the rooms of the methods share: labels, batches, the net, its state."""
