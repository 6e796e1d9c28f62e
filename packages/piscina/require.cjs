"use strict";
// What `require` returns is the class itself, as with Piscina. A wrapper, because a name for it would be an export of the ES module too.
module.exports = require("./dist/index.js").Piscina;
