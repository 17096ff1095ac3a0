// `npm pack` in the checkout would pack sources that nobody can run.
console.error("This is the checkout: 'npm run pack' makes the packages, in dist/npm.");
process.exit(1);
