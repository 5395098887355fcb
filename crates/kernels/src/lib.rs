//! Every hot numeric loop of Ragstone: one scalar reference, one thin file per instruction set.
