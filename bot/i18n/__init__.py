"""The languages newsbell speaks: one module beside its data, a `.po` file for each language."""
