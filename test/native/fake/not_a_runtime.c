/* A perfectly good shared library that is not the vendor's runtime. */
__attribute__((visibility("default"))) int fake_other_function(void);

int fake_other_function(void) { return 42; }
