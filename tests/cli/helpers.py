"""How tests call the command line."""

from sklearn_ser.cli import main


def run(*arguments):
    return main([str(argument) for argument in arguments])
