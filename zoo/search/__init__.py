"""Searches for hyper-parameters: keras-tuner proposes keyword arguments of a recipe, `zoo.train` does the rest."""
