// Generated from profile.schema.json by src/build/validators.mjs.
var validate = validate10;
var schema11 = { "type": "object", "additionalProperties": false, "required": ["ram"], "properties": { "$schema": { "type": "string" }, "name": { "type": ["string", "number"] }, "os": { "enum": ["linux", "windows", "darwin"] }, "ram": { "allOf": [{ "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$" }] }, "ram_free": { "allOf": [{ "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$" }] }, "swap": { "allOf": [{ "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$" }] }, "cores": { "type": "integer", "minimum": 1, "maximum": 65536 }, "gpus": { "type": "array", "items": { "type": "object", "additionalProperties": false, "properties": { "name": { "type": ["string", "number"] }, "count": { "type": "integer", "minimum": 1, "maximum": 1024 }, "memory": { "allOf": [{ "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$" }] }, "free": { "allOf": [{ "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$" }] }, "overhead": { "allOf": [{ "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$" }] }, "backend": { "enum": ["cuda", "rocm", "metal", "vulkan", "sycl"] }, "compute": { "type": ["string", "number"], "pattern": "^([0-9]{1,2}\\.[0-9]|gfx[0-9a-f]{3,5})$" }, "driver": { "type": ["string", "number"] }, "integrated": { "type": "boolean" } } } }, "storage": { "enum": ["nvme", "ssd", "hdd", "network"] }, "ollama": { "type": ["string", "number"], "pattern": "^v?[0-9]{1,4}(\\.[0-9]{1,4}){1,2}(-[0-9A-Za-z.]{1,32})?$" }, "server": { "type": "object", "propertyNames": { "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,127}$" }, "additionalProperties": { "type": ["string", "number", "boolean"] } } } };
var func2 = Object.prototype.hasOwnProperty;
var pattern0 = new RegExp("^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$", "u");
var pattern6 = new RegExp("^([0-9]{1,2}\\.[0-9]|gfx[0-9a-f]{3,5})$", "u");
var pattern7 = new RegExp("^v?[0-9]{1,4}(\\.[0-9]{1,4}){1,2}(-[0-9A-Za-z.]{1,32})?$", "u");
var pattern8 = new RegExp("^[A-Za-z_][A-Za-z0-9_]{0,127}$", "u");
function validate10(data, { instancePath = "", parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (data && typeof data == "object" && !Array.isArray(data)) {
    if (data.ram === void 0) {
      const err0 = { instancePath, schemaPath: "#/required", keyword: "required", params: { missingProperty: "ram" } };
      if (vErrors === null) {
        vErrors = [err0];
      } else {
        vErrors.push(err0);
      }
      errors++;
    }
    for (const key0 in data) {
      if (!func2.call(schema11.properties, key0)) {
        const err1 = { instancePath, schemaPath: "#/additionalProperties", keyword: "additionalProperties", params: { additionalProperty: key0 } };
        if (vErrors === null) {
          vErrors = [err1];
        } else {
          vErrors.push(err1);
        }
        errors++;
      }
    }
    if (data.$schema !== void 0) {
      if (typeof data.$schema !== "string") {
        const err2 = { instancePath: instancePath + "/$schema", schemaPath: "#/properties/%24schema/type", keyword: "type", params: { type: "string" } };
        if (vErrors === null) {
          vErrors = [err2];
        } else {
          vErrors.push(err2);
        }
        errors++;
      }
    }
    if (data.name !== void 0) {
      let data1 = data.name;
      if (typeof data1 !== "string" && !(typeof data1 == "number" && isFinite(data1))) {
        const err3 = { instancePath: instancePath + "/name", schemaPath: "#/properties/name/type", keyword: "type", params: { type: schema11.properties.name.type } };
        if (vErrors === null) {
          vErrors = [err3];
        } else {
          vErrors.push(err3);
        }
        errors++;
      }
    }
    if (data.os !== void 0) {
      let data2 = data.os;
      if (!(data2 === "linux" || data2 === "windows" || data2 === "darwin")) {
        const err4 = { instancePath: instancePath + "/os", schemaPath: "#/properties/os/enum", keyword: "enum", params: { allowedValues: schema11.properties.os.enum } };
        if (vErrors === null) {
          vErrors = [err4];
        } else {
          vErrors.push(err4);
        }
        errors++;
      }
    }
    if (data.ram !== void 0) {
      let data3 = data.ram;
      if (!(typeof data3 == "number" && (!(data3 % 1) && !isNaN(data3)) && isFinite(data3)) && typeof data3 !== "string") {
        const err5 = { instancePath: instancePath + "/ram", schemaPath: "#/properties/ram/allOf/0/type", keyword: "type", params: { type: schema11.properties.ram.allOf[0].type } };
        if (vErrors === null) {
          vErrors = [err5];
        } else {
          vErrors.push(err5);
        }
        errors++;
      }
      if (typeof data3 == "number" && isFinite(data3)) {
        if (data3 < 0 || isNaN(data3)) {
          const err6 = { instancePath: instancePath + "/ram", schemaPath: "#/properties/ram/allOf/0/minimum", keyword: "minimum", params: { comparison: ">=", limit: 0 } };
          if (vErrors === null) {
            vErrors = [err6];
          } else {
            vErrors.push(err6);
          }
          errors++;
        }
      }
      if (typeof data3 === "string") {
        if (!pattern0.test(data3)) {
          const err7 = { instancePath: instancePath + "/ram", schemaPath: "#/properties/ram/allOf/0/pattern", keyword: "pattern", params: { pattern: "^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$" } };
          if (vErrors === null) {
            vErrors = [err7];
          } else {
            vErrors.push(err7);
          }
          errors++;
        }
      }
    }
    if (data.ram_free !== void 0) {
      let data4 = data.ram_free;
      if (!(typeof data4 == "number" && (!(data4 % 1) && !isNaN(data4)) && isFinite(data4)) && typeof data4 !== "string") {
        const err8 = { instancePath: instancePath + "/ram_free", schemaPath: "#/properties/ram_free/allOf/0/type", keyword: "type", params: { type: schema11.properties.ram_free.allOf[0].type } };
        if (vErrors === null) {
          vErrors = [err8];
        } else {
          vErrors.push(err8);
        }
        errors++;
      }
      if (typeof data4 == "number" && isFinite(data4)) {
        if (data4 < 0 || isNaN(data4)) {
          const err9 = { instancePath: instancePath + "/ram_free", schemaPath: "#/properties/ram_free/allOf/0/minimum", keyword: "minimum", params: { comparison: ">=", limit: 0 } };
          if (vErrors === null) {
            vErrors = [err9];
          } else {
            vErrors.push(err9);
          }
          errors++;
        }
      }
      if (typeof data4 === "string") {
        if (!pattern0.test(data4)) {
          const err10 = { instancePath: instancePath + "/ram_free", schemaPath: "#/properties/ram_free/allOf/0/pattern", keyword: "pattern", params: { pattern: "^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$" } };
          if (vErrors === null) {
            vErrors = [err10];
          } else {
            vErrors.push(err10);
          }
          errors++;
        }
      }
    }
    if (data.swap !== void 0) {
      let data5 = data.swap;
      if (!(typeof data5 == "number" && (!(data5 % 1) && !isNaN(data5)) && isFinite(data5)) && typeof data5 !== "string") {
        const err11 = { instancePath: instancePath + "/swap", schemaPath: "#/properties/swap/allOf/0/type", keyword: "type", params: { type: schema11.properties.swap.allOf[0].type } };
        if (vErrors === null) {
          vErrors = [err11];
        } else {
          vErrors.push(err11);
        }
        errors++;
      }
      if (typeof data5 == "number" && isFinite(data5)) {
        if (data5 < 0 || isNaN(data5)) {
          const err12 = { instancePath: instancePath + "/swap", schemaPath: "#/properties/swap/allOf/0/minimum", keyword: "minimum", params: { comparison: ">=", limit: 0 } };
          if (vErrors === null) {
            vErrors = [err12];
          } else {
            vErrors.push(err12);
          }
          errors++;
        }
      }
      if (typeof data5 === "string") {
        if (!pattern0.test(data5)) {
          const err13 = { instancePath: instancePath + "/swap", schemaPath: "#/properties/swap/allOf/0/pattern", keyword: "pattern", params: { pattern: "^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$" } };
          if (vErrors === null) {
            vErrors = [err13];
          } else {
            vErrors.push(err13);
          }
          errors++;
        }
      }
    }
    if (data.cores !== void 0) {
      let data6 = data.cores;
      if (!(typeof data6 == "number" && (!(data6 % 1) && !isNaN(data6)) && isFinite(data6))) {
        const err14 = { instancePath: instancePath + "/cores", schemaPath: "#/properties/cores/type", keyword: "type", params: { type: "integer" } };
        if (vErrors === null) {
          vErrors = [err14];
        } else {
          vErrors.push(err14);
        }
        errors++;
      }
      if (typeof data6 == "number" && isFinite(data6)) {
        if (data6 > 65536 || isNaN(data6)) {
          const err15 = { instancePath: instancePath + "/cores", schemaPath: "#/properties/cores/maximum", keyword: "maximum", params: { comparison: "<=", limit: 65536 } };
          if (vErrors === null) {
            vErrors = [err15];
          } else {
            vErrors.push(err15);
          }
          errors++;
        }
        if (data6 < 1 || isNaN(data6)) {
          const err16 = { instancePath: instancePath + "/cores", schemaPath: "#/properties/cores/minimum", keyword: "minimum", params: { comparison: ">=", limit: 1 } };
          if (vErrors === null) {
            vErrors = [err16];
          } else {
            vErrors.push(err16);
          }
          errors++;
        }
      }
    }
    if (data.gpus !== void 0) {
      let data7 = data.gpus;
      if (Array.isArray(data7)) {
        const len0 = data7.length;
        for (let i0 = 0; i0 < len0; i0++) {
          let data8 = data7[i0];
          if (data8 && typeof data8 == "object" && !Array.isArray(data8)) {
            for (const key1 in data8) {
              if (!func2.call(schema11.properties.gpus.items.properties, key1)) {
                const err17 = { instancePath: instancePath + "/gpus/" + i0, schemaPath: "#/properties/gpus/items/additionalProperties", keyword: "additionalProperties", params: { additionalProperty: key1 } };
                if (vErrors === null) {
                  vErrors = [err17];
                } else {
                  vErrors.push(err17);
                }
                errors++;
              }
            }
            if (data8.name !== void 0) {
              let data9 = data8.name;
              if (typeof data9 !== "string" && !(typeof data9 == "number" && isFinite(data9))) {
                const err18 = { instancePath: instancePath + "/gpus/" + i0 + "/name", schemaPath: "#/properties/gpus/items/properties/name/type", keyword: "type", params: { type: schema11.properties.gpus.items.properties.name.type } };
                if (vErrors === null) {
                  vErrors = [err18];
                } else {
                  vErrors.push(err18);
                }
                errors++;
              }
            }
            if (data8.count !== void 0) {
              let data10 = data8.count;
              if (!(typeof data10 == "number" && (!(data10 % 1) && !isNaN(data10)) && isFinite(data10))) {
                const err19 = { instancePath: instancePath + "/gpus/" + i0 + "/count", schemaPath: "#/properties/gpus/items/properties/count/type", keyword: "type", params: { type: "integer" } };
                if (vErrors === null) {
                  vErrors = [err19];
                } else {
                  vErrors.push(err19);
                }
                errors++;
              }
              if (typeof data10 == "number" && isFinite(data10)) {
                if (data10 > 1024 || isNaN(data10)) {
                  const err20 = { instancePath: instancePath + "/gpus/" + i0 + "/count", schemaPath: "#/properties/gpus/items/properties/count/maximum", keyword: "maximum", params: { comparison: "<=", limit: 1024 } };
                  if (vErrors === null) {
                    vErrors = [err20];
                  } else {
                    vErrors.push(err20);
                  }
                  errors++;
                }
                if (data10 < 1 || isNaN(data10)) {
                  const err21 = { instancePath: instancePath + "/gpus/" + i0 + "/count", schemaPath: "#/properties/gpus/items/properties/count/minimum", keyword: "minimum", params: { comparison: ">=", limit: 1 } };
                  if (vErrors === null) {
                    vErrors = [err21];
                  } else {
                    vErrors.push(err21);
                  }
                  errors++;
                }
              }
            }
            if (data8.memory !== void 0) {
              let data11 = data8.memory;
              if (!(typeof data11 == "number" && (!(data11 % 1) && !isNaN(data11)) && isFinite(data11)) && typeof data11 !== "string") {
                const err22 = { instancePath: instancePath + "/gpus/" + i0 + "/memory", schemaPath: "#/properties/gpus/items/properties/memory/allOf/0/type", keyword: "type", params: { type: schema11.properties.gpus.items.properties.memory.allOf[0].type } };
                if (vErrors === null) {
                  vErrors = [err22];
                } else {
                  vErrors.push(err22);
                }
                errors++;
              }
              if (typeof data11 == "number" && isFinite(data11)) {
                if (data11 < 0 || isNaN(data11)) {
                  const err23 = { instancePath: instancePath + "/gpus/" + i0 + "/memory", schemaPath: "#/properties/gpus/items/properties/memory/allOf/0/minimum", keyword: "minimum", params: { comparison: ">=", limit: 0 } };
                  if (vErrors === null) {
                    vErrors = [err23];
                  } else {
                    vErrors.push(err23);
                  }
                  errors++;
                }
              }
              if (typeof data11 === "string") {
                if (!pattern0.test(data11)) {
                  const err24 = { instancePath: instancePath + "/gpus/" + i0 + "/memory", schemaPath: "#/properties/gpus/items/properties/memory/allOf/0/pattern", keyword: "pattern", params: { pattern: "^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$" } };
                  if (vErrors === null) {
                    vErrors = [err24];
                  } else {
                    vErrors.push(err24);
                  }
                  errors++;
                }
              }
            }
            if (data8.free !== void 0) {
              let data12 = data8.free;
              if (!(typeof data12 == "number" && (!(data12 % 1) && !isNaN(data12)) && isFinite(data12)) && typeof data12 !== "string") {
                const err25 = { instancePath: instancePath + "/gpus/" + i0 + "/free", schemaPath: "#/properties/gpus/items/properties/free/allOf/0/type", keyword: "type", params: { type: schema11.properties.gpus.items.properties.free.allOf[0].type } };
                if (vErrors === null) {
                  vErrors = [err25];
                } else {
                  vErrors.push(err25);
                }
                errors++;
              }
              if (typeof data12 == "number" && isFinite(data12)) {
                if (data12 < 0 || isNaN(data12)) {
                  const err26 = { instancePath: instancePath + "/gpus/" + i0 + "/free", schemaPath: "#/properties/gpus/items/properties/free/allOf/0/minimum", keyword: "minimum", params: { comparison: ">=", limit: 0 } };
                  if (vErrors === null) {
                    vErrors = [err26];
                  } else {
                    vErrors.push(err26);
                  }
                  errors++;
                }
              }
              if (typeof data12 === "string") {
                if (!pattern0.test(data12)) {
                  const err27 = { instancePath: instancePath + "/gpus/" + i0 + "/free", schemaPath: "#/properties/gpus/items/properties/free/allOf/0/pattern", keyword: "pattern", params: { pattern: "^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$" } };
                  if (vErrors === null) {
                    vErrors = [err27];
                  } else {
                    vErrors.push(err27);
                  }
                  errors++;
                }
              }
            }
            if (data8.overhead !== void 0) {
              let data13 = data8.overhead;
              if (!(typeof data13 == "number" && (!(data13 % 1) && !isNaN(data13)) && isFinite(data13)) && typeof data13 !== "string") {
                const err28 = { instancePath: instancePath + "/gpus/" + i0 + "/overhead", schemaPath: "#/properties/gpus/items/properties/overhead/allOf/0/type", keyword: "type", params: { type: schema11.properties.gpus.items.properties.overhead.allOf[0].type } };
                if (vErrors === null) {
                  vErrors = [err28];
                } else {
                  vErrors.push(err28);
                }
                errors++;
              }
              if (typeof data13 == "number" && isFinite(data13)) {
                if (data13 < 0 || isNaN(data13)) {
                  const err29 = { instancePath: instancePath + "/gpus/" + i0 + "/overhead", schemaPath: "#/properties/gpus/items/properties/overhead/allOf/0/minimum", keyword: "minimum", params: { comparison: ">=", limit: 0 } };
                  if (vErrors === null) {
                    vErrors = [err29];
                  } else {
                    vErrors.push(err29);
                  }
                  errors++;
                }
              }
              if (typeof data13 === "string") {
                if (!pattern0.test(data13)) {
                  const err30 = { instancePath: instancePath + "/gpus/" + i0 + "/overhead", schemaPath: "#/properties/gpus/items/properties/overhead/allOf/0/pattern", keyword: "pattern", params: { pattern: "^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$" } };
                  if (vErrors === null) {
                    vErrors = [err30];
                  } else {
                    vErrors.push(err30);
                  }
                  errors++;
                }
              }
            }
            if (data8.backend !== void 0) {
              let data14 = data8.backend;
              if (!(data14 === "cuda" || data14 === "rocm" || data14 === "metal" || data14 === "vulkan" || data14 === "sycl")) {
                const err31 = { instancePath: instancePath + "/gpus/" + i0 + "/backend", schemaPath: "#/properties/gpus/items/properties/backend/enum", keyword: "enum", params: { allowedValues: schema11.properties.gpus.items.properties.backend.enum } };
                if (vErrors === null) {
                  vErrors = [err31];
                } else {
                  vErrors.push(err31);
                }
                errors++;
              }
            }
            if (data8.compute !== void 0) {
              let data15 = data8.compute;
              if (typeof data15 !== "string" && !(typeof data15 == "number" && isFinite(data15))) {
                const err32 = { instancePath: instancePath + "/gpus/" + i0 + "/compute", schemaPath: "#/properties/gpus/items/properties/compute/type", keyword: "type", params: { type: schema11.properties.gpus.items.properties.compute.type } };
                if (vErrors === null) {
                  vErrors = [err32];
                } else {
                  vErrors.push(err32);
                }
                errors++;
              }
              if (typeof data15 === "string") {
                if (!pattern6.test(data15)) {
                  const err33 = { instancePath: instancePath + "/gpus/" + i0 + "/compute", schemaPath: "#/properties/gpus/items/properties/compute/pattern", keyword: "pattern", params: { pattern: "^([0-9]{1,2}\\.[0-9]|gfx[0-9a-f]{3,5})$" } };
                  if (vErrors === null) {
                    vErrors = [err33];
                  } else {
                    vErrors.push(err33);
                  }
                  errors++;
                }
              }
            }
            if (data8.driver !== void 0) {
              let data16 = data8.driver;
              if (typeof data16 !== "string" && !(typeof data16 == "number" && isFinite(data16))) {
                const err34 = { instancePath: instancePath + "/gpus/" + i0 + "/driver", schemaPath: "#/properties/gpus/items/properties/driver/type", keyword: "type", params: { type: schema11.properties.gpus.items.properties.driver.type } };
                if (vErrors === null) {
                  vErrors = [err34];
                } else {
                  vErrors.push(err34);
                }
                errors++;
              }
            }
            if (data8.integrated !== void 0) {
              if (typeof data8.integrated !== "boolean") {
                const err35 = { instancePath: instancePath + "/gpus/" + i0 + "/integrated", schemaPath: "#/properties/gpus/items/properties/integrated/type", keyword: "type", params: { type: "boolean" } };
                if (vErrors === null) {
                  vErrors = [err35];
                } else {
                  vErrors.push(err35);
                }
                errors++;
              }
            }
          } else {
            const err36 = { instancePath: instancePath + "/gpus/" + i0, schemaPath: "#/properties/gpus/items/type", keyword: "type", params: { type: "object" } };
            if (vErrors === null) {
              vErrors = [err36];
            } else {
              vErrors.push(err36);
            }
            errors++;
          }
        }
      } else {
        const err37 = { instancePath: instancePath + "/gpus", schemaPath: "#/properties/gpus/type", keyword: "type", params: { type: "array" } };
        if (vErrors === null) {
          vErrors = [err37];
        } else {
          vErrors.push(err37);
        }
        errors++;
      }
    }
    if (data.storage !== void 0) {
      let data18 = data.storage;
      if (!(data18 === "nvme" || data18 === "ssd" || data18 === "hdd" || data18 === "network")) {
        const err38 = { instancePath: instancePath + "/storage", schemaPath: "#/properties/storage/enum", keyword: "enum", params: { allowedValues: schema11.properties.storage.enum } };
        if (vErrors === null) {
          vErrors = [err38];
        } else {
          vErrors.push(err38);
        }
        errors++;
      }
    }
    if (data.ollama !== void 0) {
      let data19 = data.ollama;
      if (typeof data19 !== "string" && !(typeof data19 == "number" && isFinite(data19))) {
        const err39 = { instancePath: instancePath + "/ollama", schemaPath: "#/properties/ollama/type", keyword: "type", params: { type: schema11.properties.ollama.type } };
        if (vErrors === null) {
          vErrors = [err39];
        } else {
          vErrors.push(err39);
        }
        errors++;
      }
      if (typeof data19 === "string") {
        if (!pattern7.test(data19)) {
          const err40 = { instancePath: instancePath + "/ollama", schemaPath: "#/properties/ollama/pattern", keyword: "pattern", params: { pattern: "^v?[0-9]{1,4}(\\.[0-9]{1,4}){1,2}(-[0-9A-Za-z.]{1,32})?$" } };
          if (vErrors === null) {
            vErrors = [err40];
          } else {
            vErrors.push(err40);
          }
          errors++;
        }
      }
    }
    if (data.server !== void 0) {
      let data20 = data.server;
      if (data20 && typeof data20 == "object" && !Array.isArray(data20)) {
        for (const key2 in data20) {
          const _errs48 = errors;
          if (typeof key2 === "string") {
            if (!pattern8.test(key2)) {
              const err41 = { instancePath: instancePath + "/server", schemaPath: "#/properties/server/propertyNames/pattern", keyword: "pattern", params: { pattern: "^[A-Za-z_][A-Za-z0-9_]{0,127}$" }, propertyName: key2 };
              if (vErrors === null) {
                vErrors = [err41];
              } else {
                vErrors.push(err41);
              }
              errors++;
            }
          }
          var valid10 = _errs48 === errors;
          if (!valid10) {
            const err42 = { instancePath: instancePath + "/server", schemaPath: "#/properties/server/propertyNames", keyword: "propertyNames", params: { propertyName: key2 } };
            if (vErrors === null) {
              vErrors = [err42];
            } else {
              vErrors.push(err42);
            }
            errors++;
          }
        }
        for (const key3 in data20) {
          let data21 = data20[key3];
          if (typeof data21 !== "string" && !(typeof data21 == "number" && isFinite(data21)) && typeof data21 !== "boolean") {
            const err43 = { instancePath: instancePath + "/server/" + key3.replace(/~/g, "~0").replace(/\//g, "~1"), schemaPath: "#/properties/server/additionalProperties/type", keyword: "type", params: { type: schema11.properties.server.additionalProperties.type } };
            if (vErrors === null) {
              vErrors = [err43];
            } else {
              vErrors.push(err43);
            }
            errors++;
          }
        }
      } else {
        const err44 = { instancePath: instancePath + "/server", schemaPath: "#/properties/server/type", keyword: "type", params: { type: "object" } };
        if (vErrors === null) {
          vErrors = [err44];
        } else {
          vErrors.push(err44);
        }
        errors++;
      }
    }
  } else {
    const err45 = { instancePath, schemaPath: "#/type", keyword: "type", params: { type: "object" } };
    if (vErrors === null) {
      vErrors = [err45];
    } else {
      vErrors.push(err45);
    }
    errors++;
  }
  validate10.errors = vErrors;
  return errors === 0;
}
var names = { "keys": { "#": ["name", "os", "ram", "ram_free", "swap", "cores", "gpus", "storage", "ollama", "server"], "#/properties/gpus/items": ["name", "count", "memory", "free", "overhead", "backend", "compute", "driver", "integrated"] }, "titles": { "#/properties/os": "operating system", "#/properties/ram/allOf/0": "size", "#/properties/ram_free/allOf/0": "size", "#/properties/swap/allOf/0": "size", "#/properties/gpus/items/properties/memory/allOf/0": "size", "#/properties/gpus/items/properties/free/allOf/0": "size", "#/properties/gpus/items/properties/overhead/allOf/0": "size", "#/properties/gpus/items/properties/backend": "backend", "#/properties/gpus/items/properties/compute": "CUDA compute capability or gfx id", "#/properties/storage": "kind of storage", "#/properties/ollama": "Ollama release", "#/properties/server/propertyNames": "name of a variable" }, "examples": { "#/properties/ram": "16GiB", "#/properties/ram_free": "14GiB", "#/properties/gpus/items/properties/name": "Tesla T4", "#/properties/gpus/items/properties/memory": "15360MiB", "#/properties/gpus/items/properties/free": "14814MiB", "#/properties/gpus/items/properties/overhead": "300MiB", "#/properties/gpus/items/properties/compute": "8.9", "#/properties/ollama": "0.32.15", "#/properties/server/propertyNames": "OLLAMA_NUM_PARALLEL" } };
export {
  names,
  validate
};
