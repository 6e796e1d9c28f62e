/** The keys of Piscina. Registered ones are the same in every copy, Piscina's own included. */
export const kTransferable: unique symbol = Symbol.for("Piscina.transferable");
export const kValue: unique symbol = Symbol.for("Piscina.valueOf");
export const kQueueOptions: unique symbol = Symbol.for("Piscina.queueOptions");
/** On values that `move` has marked: a task file may load another copy of this package. */
export const kMovable: unique symbol = Symbol.for("skein.piscina.movable");
