"""Scripts that make the data files of the package from well-kept sources, which it need not have.

    python -m data.gazetteer
    python -m data.word_frequencies

What they make holds the same on every machine. bot/names/data/NOTICE.md says what the files are
made from, and under which licences.
"""
