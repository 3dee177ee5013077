"""Files as they come and go: opening only regular ones, reading by a schema, writing without following links.

Every reader of a file that somebody else may have written goes through `core.files.reading`, and every path below a
folder of the program's own through `core.files.own`; so nothing has to be remembered by the next reader that is added.
"""
