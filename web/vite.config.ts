import { defineConfig } from "vite";

const server = process.env.DELEVERAGE_SERVER ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "./",
  build: {
    outDir: "../src/deleverage/api/static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  server: { proxy: { "/v1": { target: server, ws: true } } },
  test: { include: ["src/**/*.test.ts"] },
});
