"""Remaining useful life from a fleet's run-to-failure histories.

Pure: histories and numbers in, numbers out. The trees are grown by an adapter that is passed in as a
:class:`~forewarn.domain.prognosis.trees.TreeLearner`; once grown they are plain arrays.
"""
