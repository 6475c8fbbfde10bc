"""Tests of the plugin, which is installed from its wheel."""

pytest_plugins = ["pytester"]
