import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["src/compat.ts"],
    testTimeout: 60_000,
    coverage: { include: ["grammar/**", "src/**", "rules/**"], exclude: ["src/build/**"] },
  },
});
