"""Documents go to customers by mail: asked for with the document, sent by jobs when it is there, at least once."""
