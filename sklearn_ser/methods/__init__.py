"""The papers' methods: one folder each, and in each folder the same four files.

``_net.py`` holds the network, ``_loss.py`` what it minimises, ``_estimator.py`` the
scikit-learn estimator and ``_recipe.py`` the published pipeline. Imports run from the
last to the first, and on to `sklearn_ser.training`.
"""
