// Package operation owns what people change many rows by: replays and imports, one mechanism for all
// (docs/operations.md).
//
// An operation is a row of the store. Whoever holds the lease "operations" works it off: its rows are selected once and
// numbered, and then applied in chunks by the ledger's own batches, so that conversion.Apply decides as it does for
// what is received. After each chunk the results, the counts and the cursor are saved together. A receiver that is
// killed in between has another one apply the chunk again, which changes nothing a second time: the id of a row's line
// in the received log follows from the operation and the row ([RowID]), and the ledger applies no line that it has.
//
// A dry run is the same code on [ledger.Trial], which writes nothing.
//
// It imports no store engine and no net/http.
package operation
