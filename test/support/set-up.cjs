/** Jest takes no time limit from the configuration of one of several projects. */
jest.setTimeout(30_000);
