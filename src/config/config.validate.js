// Generated from config.schema.json by src/build/validators.mjs.
var validate = validate10;
var schema11 = { "type": "object", "additionalProperties": false, "properties": { "$schema": { "type": "string" }, "ollama": { "type": ["string", "number"] }, "machine": { "anyOf": [{ "type": "string" }, { "type": "object" }] }, "machines": { "type": "array", "minItems": 1, "maxItems": 64, "items": { "anyOf": [{ "type": "string" }, { "type": "object" }] } }, "server": { "type": "object", "propertyNames": { "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,127}$" }, "additionalProperties": { "type": ["string", "number", "boolean"] } }, "models": { "type": "object", "additionalProperties": { "type": ["string", "object"], "additionalProperties": false, "required": ["like"], "properties": { "like": { "type": "string" }, "weights": { "allOf": [{ "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$" }] } } } }, "extends": { "enum": ["minimal", "recommended", "strict"] }, "rules": { "type": "object", "additionalProperties": { "enum": ["off", "info", "warning", "error"] } }, "overrides": { "type": "array", "items": { "type": "object", "additionalProperties": false, "required": ["files"], "properties": { "files": { "type": "array", "minItems": 1, "items": { "type": "string" } }, "extends": { "enum": ["minimal", "recommended", "strict"] }, "rules": { "type": "object", "additionalProperties": { "enum": ["off", "info", "warning", "error"] } }, "ollama": { "type": ["string", "number"] }, "machine": { "anyOf": [{ "type": "string" }, { "type": "object" }] }, "ignore": { "type": "array", "items": { "type": "string" } } } } }, "ignore": { "type": "array", "items": { "type": "string" } }, "baseline": { "type": "string" } } };
var func2 = Object.prototype.hasOwnProperty;
var pattern0 = new RegExp("^[A-Za-z_][A-Za-z0-9_]{0,127}$", "u");
var pattern1 = new RegExp("^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$", "u");
function validate10(data, { instancePath = "", parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (data && typeof data == "object" && !Array.isArray(data)) {
    for (const key0 in data) {
      if (!func2.call(schema11.properties, key0)) {
        const err0 = { instancePath, schemaPath: "#/additionalProperties", keyword: "additionalProperties", params: { additionalProperty: key0 } };
        if (vErrors === null) {
          vErrors = [err0];
        } else {
          vErrors.push(err0);
        }
        errors++;
      }
    }
    if (data.$schema !== void 0) {
      if (typeof data.$schema !== "string") {
        const err1 = { instancePath: instancePath + "/$schema", schemaPath: "#/properties/%24schema/type", keyword: "type", params: { type: "string" } };
        if (vErrors === null) {
          vErrors = [err1];
        } else {
          vErrors.push(err1);
        }
        errors++;
      }
    }
    if (data.ollama !== void 0) {
      let data1 = data.ollama;
      if (typeof data1 !== "string" && !(typeof data1 == "number" && isFinite(data1))) {
        const err2 = { instancePath: instancePath + "/ollama", schemaPath: "#/properties/ollama/type", keyword: "type", params: { type: schema11.properties.ollama.type } };
        if (vErrors === null) {
          vErrors = [err2];
        } else {
          vErrors.push(err2);
        }
        errors++;
      }
    }
    if (data.machine !== void 0) {
      let data2 = data.machine;
      const _errs7 = errors;
      let valid1 = false;
      const _errs8 = errors;
      if (typeof data2 !== "string") {
        const err3 = { instancePath: instancePath + "/machine", schemaPath: "#/properties/machine/anyOf/0/type", keyword: "type", params: { type: "string" } };
        if (vErrors === null) {
          vErrors = [err3];
        } else {
          vErrors.push(err3);
        }
        errors++;
      }
      var _valid0 = _errs8 === errors;
      valid1 = valid1 || _valid0;
      if (!valid1) {
        const _errs10 = errors;
        if (!(data2 && typeof data2 == "object" && !Array.isArray(data2))) {
          const err4 = { instancePath: instancePath + "/machine", schemaPath: "#/properties/machine/anyOf/1/type", keyword: "type", params: { type: "object" } };
          if (vErrors === null) {
            vErrors = [err4];
          } else {
            vErrors.push(err4);
          }
          errors++;
        }
        var _valid0 = _errs10 === errors;
        valid1 = valid1 || _valid0;
      }
      if (!valid1) {
        const err5 = { instancePath: instancePath + "/machine", schemaPath: "#/properties/machine/anyOf", keyword: "anyOf", params: {} };
        if (vErrors === null) {
          vErrors = [err5];
        } else {
          vErrors.push(err5);
        }
        errors++;
      } else {
        errors = _errs7;
        if (vErrors !== null) {
          if (_errs7) {
            vErrors.length = _errs7;
          } else {
            vErrors = null;
          }
        }
      }
    }
    if (data.machines !== void 0) {
      let data3 = data.machines;
      if (Array.isArray(data3)) {
        if (data3.length > 64) {
          const err6 = { instancePath: instancePath + "/machines", schemaPath: "#/properties/machines/maxItems", keyword: "maxItems", params: { limit: 64 } };
          if (vErrors === null) {
            vErrors = [err6];
          } else {
            vErrors.push(err6);
          }
          errors++;
        }
        if (data3.length < 1) {
          const err7 = { instancePath: instancePath + "/machines", schemaPath: "#/properties/machines/minItems", keyword: "minItems", params: { limit: 1 } };
          if (vErrors === null) {
            vErrors = [err7];
          } else {
            vErrors.push(err7);
          }
          errors++;
        }
        const len0 = data3.length;
        for (let i0 = 0; i0 < len0; i0++) {
          let data4 = data3[i0];
          const _errs15 = errors;
          let valid4 = false;
          const _errs16 = errors;
          if (typeof data4 !== "string") {
            const err8 = { instancePath: instancePath + "/machines/" + i0, schemaPath: "#/properties/machines/items/anyOf/0/type", keyword: "type", params: { type: "string" } };
            if (vErrors === null) {
              vErrors = [err8];
            } else {
              vErrors.push(err8);
            }
            errors++;
          }
          var _valid1 = _errs16 === errors;
          valid4 = valid4 || _valid1;
          if (!valid4) {
            const _errs18 = errors;
            if (!(data4 && typeof data4 == "object" && !Array.isArray(data4))) {
              const err9 = { instancePath: instancePath + "/machines/" + i0, schemaPath: "#/properties/machines/items/anyOf/1/type", keyword: "type", params: { type: "object" } };
              if (vErrors === null) {
                vErrors = [err9];
              } else {
                vErrors.push(err9);
              }
              errors++;
            }
            var _valid1 = _errs18 === errors;
            valid4 = valid4 || _valid1;
          }
          if (!valid4) {
            const err10 = { instancePath: instancePath + "/machines/" + i0, schemaPath: "#/properties/machines/items/anyOf", keyword: "anyOf", params: {} };
            if (vErrors === null) {
              vErrors = [err10];
            } else {
              vErrors.push(err10);
            }
            errors++;
          } else {
            errors = _errs15;
            if (vErrors !== null) {
              if (_errs15) {
                vErrors.length = _errs15;
              } else {
                vErrors = null;
              }
            }
          }
        }
      } else {
        const err11 = { instancePath: instancePath + "/machines", schemaPath: "#/properties/machines/type", keyword: "type", params: { type: "array" } };
        if (vErrors === null) {
          vErrors = [err11];
        } else {
          vErrors.push(err11);
        }
        errors++;
      }
    }
    if (data.server !== void 0) {
      let data5 = data.server;
      if (data5 && typeof data5 == "object" && !Array.isArray(data5)) {
        for (const key1 in data5) {
          const _errs22 = errors;
          if (typeof key1 === "string") {
            if (!pattern0.test(key1)) {
              const err12 = { instancePath: instancePath + "/server", schemaPath: "#/properties/server/propertyNames/pattern", keyword: "pattern", params: { pattern: "^[A-Za-z_][A-Za-z0-9_]{0,127}$" }, propertyName: key1 };
              if (vErrors === null) {
                vErrors = [err12];
              } else {
                vErrors.push(err12);
              }
              errors++;
            }
          }
          var valid5 = _errs22 === errors;
          if (!valid5) {
            const err13 = { instancePath: instancePath + "/server", schemaPath: "#/properties/server/propertyNames", keyword: "propertyNames", params: { propertyName: key1 } };
            if (vErrors === null) {
              vErrors = [err13];
            } else {
              vErrors.push(err13);
            }
            errors++;
          }
        }
        for (const key2 in data5) {
          let data6 = data5[key2];
          if (typeof data6 !== "string" && !(typeof data6 == "number" && isFinite(data6)) && typeof data6 !== "boolean") {
            const err14 = { instancePath: instancePath + "/server/" + key2.replace(/~/g, "~0").replace(/\//g, "~1"), schemaPath: "#/properties/server/additionalProperties/type", keyword: "type", params: { type: schema11.properties.server.additionalProperties.type } };
            if (vErrors === null) {
              vErrors = [err14];
            } else {
              vErrors.push(err14);
            }
            errors++;
          }
        }
      } else {
        const err15 = { instancePath: instancePath + "/server", schemaPath: "#/properties/server/type", keyword: "type", params: { type: "object" } };
        if (vErrors === null) {
          vErrors = [err15];
        } else {
          vErrors.push(err15);
        }
        errors++;
      }
    }
    if (data.models !== void 0) {
      let data7 = data.models;
      if (data7 && typeof data7 == "object" && !Array.isArray(data7)) {
        for (const key3 in data7) {
          let data8 = data7[key3];
          if (typeof data8 !== "string" && !(data8 && typeof data8 == "object" && !Array.isArray(data8))) {
            const err16 = { instancePath: instancePath + "/models/" + key3.replace(/~/g, "~0").replace(/\//g, "~1"), schemaPath: "#/properties/models/additionalProperties/type", keyword: "type", params: { type: schema11.properties.models.additionalProperties.type } };
            if (vErrors === null) {
              vErrors = [err16];
            } else {
              vErrors.push(err16);
            }
            errors++;
          }
          if (data8 && typeof data8 == "object" && !Array.isArray(data8)) {
            if (data8.like === void 0) {
              const err17 = { instancePath: instancePath + "/models/" + key3.replace(/~/g, "~0").replace(/\//g, "~1"), schemaPath: "#/properties/models/additionalProperties/required", keyword: "required", params: { missingProperty: "like" } };
              if (vErrors === null) {
                vErrors = [err17];
              } else {
                vErrors.push(err17);
              }
              errors++;
            }
            for (const key4 in data8) {
              if (!(key4 === "like" || key4 === "weights")) {
                const err18 = { instancePath: instancePath + "/models/" + key3.replace(/~/g, "~0").replace(/\//g, "~1"), schemaPath: "#/properties/models/additionalProperties/additionalProperties", keyword: "additionalProperties", params: { additionalProperty: key4 } };
                if (vErrors === null) {
                  vErrors = [err18];
                } else {
                  vErrors.push(err18);
                }
                errors++;
              }
            }
            if (data8.like !== void 0) {
              if (typeof data8.like !== "string") {
                const err19 = { instancePath: instancePath + "/models/" + key3.replace(/~/g, "~0").replace(/\//g, "~1") + "/like", schemaPath: "#/properties/models/additionalProperties/properties/like/type", keyword: "type", params: { type: "string" } };
                if (vErrors === null) {
                  vErrors = [err19];
                } else {
                  vErrors.push(err19);
                }
                errors++;
              }
            }
            if (data8.weights !== void 0) {
              let data10 = data8.weights;
              if (!(typeof data10 == "number" && (!(data10 % 1) && !isNaN(data10)) && isFinite(data10)) && typeof data10 !== "string") {
                const err20 = { instancePath: instancePath + "/models/" + key3.replace(/~/g, "~0").replace(/\//g, "~1") + "/weights", schemaPath: "#/properties/models/additionalProperties/properties/weights/allOf/0/type", keyword: "type", params: { type: schema11.properties.models.additionalProperties.properties.weights.allOf[0].type } };
                if (vErrors === null) {
                  vErrors = [err20];
                } else {
                  vErrors.push(err20);
                }
                errors++;
              }
              if (typeof data10 == "number" && isFinite(data10)) {
                if (data10 < 0 || isNaN(data10)) {
                  const err21 = { instancePath: instancePath + "/models/" + key3.replace(/~/g, "~0").replace(/\//g, "~1") + "/weights", schemaPath: "#/properties/models/additionalProperties/properties/weights/allOf/0/minimum", keyword: "minimum", params: { comparison: ">=", limit: 0 } };
                  if (vErrors === null) {
                    vErrors = [err21];
                  } else {
                    vErrors.push(err21);
                  }
                  errors++;
                }
              }
              if (typeof data10 === "string") {
                if (!pattern1.test(data10)) {
                  const err22 = { instancePath: instancePath + "/models/" + key3.replace(/~/g, "~0").replace(/\//g, "~1") + "/weights", schemaPath: "#/properties/models/additionalProperties/properties/weights/allOf/0/pattern", keyword: "pattern", params: { pattern: "^[0-9]+(\\.[0-9]+)? ?(([KMGTkmgt][Ii]?)?[Bb])?$" } };
                  if (vErrors === null) {
                    vErrors = [err22];
                  } else {
                    vErrors.push(err22);
                  }
                  errors++;
                }
              }
            }
          }
        }
      } else {
        const err23 = { instancePath: instancePath + "/models", schemaPath: "#/properties/models/type", keyword: "type", params: { type: "object" } };
        if (vErrors === null) {
          vErrors = [err23];
        } else {
          vErrors.push(err23);
        }
        errors++;
      }
    }
    if (data.extends !== void 0) {
      let data11 = data.extends;
      if (!(data11 === "minimal" || data11 === "recommended" || data11 === "strict")) {
        const err24 = { instancePath: instancePath + "/extends", schemaPath: "#/properties/extends/enum", keyword: "enum", params: { allowedValues: schema11.properties.extends.enum } };
        if (vErrors === null) {
          vErrors = [err24];
        } else {
          vErrors.push(err24);
        }
        errors++;
      }
    }
    if (data.rules !== void 0) {
      let data12 = data.rules;
      if (data12 && typeof data12 == "object" && !Array.isArray(data12)) {
        for (const key5 in data12) {
          let data13 = data12[key5];
          if (!(data13 === "off" || data13 === "info" || data13 === "warning" || data13 === "error")) {
            const err25 = { instancePath: instancePath + "/rules/" + key5.replace(/~/g, "~0").replace(/\//g, "~1"), schemaPath: "#/properties/rules/additionalProperties/enum", keyword: "enum", params: { allowedValues: schema11.properties.rules.additionalProperties.enum } };
            if (vErrors === null) {
              vErrors = [err25];
            } else {
              vErrors.push(err25);
            }
            errors++;
          }
        }
      } else {
        const err26 = { instancePath: instancePath + "/rules", schemaPath: "#/properties/rules/type", keyword: "type", params: { type: "object" } };
        if (vErrors === null) {
          vErrors = [err26];
        } else {
          vErrors.push(err26);
        }
        errors++;
      }
    }
    if (data.overrides !== void 0) {
      let data14 = data.overrides;
      if (Array.isArray(data14)) {
        const len1 = data14.length;
        for (let i1 = 0; i1 < len1; i1++) {
          let data15 = data14[i1];
          if (data15 && typeof data15 == "object" && !Array.isArray(data15)) {
            if (data15.files === void 0) {
              const err27 = { instancePath: instancePath + "/overrides/" + i1, schemaPath: "#/properties/overrides/items/required", keyword: "required", params: { missingProperty: "files" } };
              if (vErrors === null) {
                vErrors = [err27];
              } else {
                vErrors.push(err27);
              }
              errors++;
            }
            for (const key6 in data15) {
              if (!(key6 === "files" || key6 === "extends" || key6 === "rules" || key6 === "ollama" || key6 === "machine" || key6 === "ignore")) {
                const err28 = { instancePath: instancePath + "/overrides/" + i1, schemaPath: "#/properties/overrides/items/additionalProperties", keyword: "additionalProperties", params: { additionalProperty: key6 } };
                if (vErrors === null) {
                  vErrors = [err28];
                } else {
                  vErrors.push(err28);
                }
                errors++;
              }
            }
            if (data15.files !== void 0) {
              let data16 = data15.files;
              if (Array.isArray(data16)) {
                if (data16.length < 1) {
                  const err29 = { instancePath: instancePath + "/overrides/" + i1 + "/files", schemaPath: "#/properties/overrides/items/properties/files/minItems", keyword: "minItems", params: { limit: 1 } };
                  if (vErrors === null) {
                    vErrors = [err29];
                  } else {
                    vErrors.push(err29);
                  }
                  errors++;
                }
                const len2 = data16.length;
                for (let i2 = 0; i2 < len2; i2++) {
                  if (typeof data16[i2] !== "string") {
                    const err30 = { instancePath: instancePath + "/overrides/" + i1 + "/files/" + i2, schemaPath: "#/properties/overrides/items/properties/files/items/type", keyword: "type", params: { type: "string" } };
                    if (vErrors === null) {
                      vErrors = [err30];
                    } else {
                      vErrors.push(err30);
                    }
                    errors++;
                  }
                }
              } else {
                const err31 = { instancePath: instancePath + "/overrides/" + i1 + "/files", schemaPath: "#/properties/overrides/items/properties/files/type", keyword: "type", params: { type: "array" } };
                if (vErrors === null) {
                  vErrors = [err31];
                } else {
                  vErrors.push(err31);
                }
                errors++;
              }
            }
            if (data15.extends !== void 0) {
              let data18 = data15.extends;
              if (!(data18 === "minimal" || data18 === "recommended" || data18 === "strict")) {
                const err32 = { instancePath: instancePath + "/overrides/" + i1 + "/extends", schemaPath: "#/properties/overrides/items/properties/extends/enum", keyword: "enum", params: { allowedValues: schema11.properties.overrides.items.properties.extends.enum } };
                if (vErrors === null) {
                  vErrors = [err32];
                } else {
                  vErrors.push(err32);
                }
                errors++;
              }
            }
            if (data15.rules !== void 0) {
              let data19 = data15.rules;
              if (data19 && typeof data19 == "object" && !Array.isArray(data19)) {
                for (const key7 in data19) {
                  let data20 = data19[key7];
                  if (!(data20 === "off" || data20 === "info" || data20 === "warning" || data20 === "error")) {
                    const err33 = { instancePath: instancePath + "/overrides/" + i1 + "/rules/" + key7.replace(/~/g, "~0").replace(/\//g, "~1"), schemaPath: "#/properties/overrides/items/properties/rules/additionalProperties/enum", keyword: "enum", params: { allowedValues: schema11.properties.overrides.items.properties.rules.additionalProperties.enum } };
                    if (vErrors === null) {
                      vErrors = [err33];
                    } else {
                      vErrors.push(err33);
                    }
                    errors++;
                  }
                }
              } else {
                const err34 = { instancePath: instancePath + "/overrides/" + i1 + "/rules", schemaPath: "#/properties/overrides/items/properties/rules/type", keyword: "type", params: { type: "object" } };
                if (vErrors === null) {
                  vErrors = [err34];
                } else {
                  vErrors.push(err34);
                }
                errors++;
              }
            }
            if (data15.ollama !== void 0) {
              let data21 = data15.ollama;
              if (typeof data21 !== "string" && !(typeof data21 == "number" && isFinite(data21))) {
                const err35 = { instancePath: instancePath + "/overrides/" + i1 + "/ollama", schemaPath: "#/properties/overrides/items/properties/ollama/type", keyword: "type", params: { type: schema11.properties.overrides.items.properties.ollama.type } };
                if (vErrors === null) {
                  vErrors = [err35];
                } else {
                  vErrors.push(err35);
                }
                errors++;
              }
            }
            if (data15.machine !== void 0) {
              let data22 = data15.machine;
              const _errs59 = errors;
              let valid17 = false;
              const _errs60 = errors;
              if (typeof data22 !== "string") {
                const err36 = { instancePath: instancePath + "/overrides/" + i1 + "/machine", schemaPath: "#/properties/overrides/items/properties/machine/anyOf/0/type", keyword: "type", params: { type: "string" } };
                if (vErrors === null) {
                  vErrors = [err36];
                } else {
                  vErrors.push(err36);
                }
                errors++;
              }
              var _valid2 = _errs60 === errors;
              valid17 = valid17 || _valid2;
              if (!valid17) {
                const _errs62 = errors;
                if (!(data22 && typeof data22 == "object" && !Array.isArray(data22))) {
                  const err37 = { instancePath: instancePath + "/overrides/" + i1 + "/machine", schemaPath: "#/properties/overrides/items/properties/machine/anyOf/1/type", keyword: "type", params: { type: "object" } };
                  if (vErrors === null) {
                    vErrors = [err37];
                  } else {
                    vErrors.push(err37);
                  }
                  errors++;
                }
                var _valid2 = _errs62 === errors;
                valid17 = valid17 || _valid2;
              }
              if (!valid17) {
                const err38 = { instancePath: instancePath + "/overrides/" + i1 + "/machine", schemaPath: "#/properties/overrides/items/properties/machine/anyOf", keyword: "anyOf", params: {} };
                if (vErrors === null) {
                  vErrors = [err38];
                } else {
                  vErrors.push(err38);
                }
                errors++;
              } else {
                errors = _errs59;
                if (vErrors !== null) {
                  if (_errs59) {
                    vErrors.length = _errs59;
                  } else {
                    vErrors = null;
                  }
                }
              }
            }
            if (data15.ignore !== void 0) {
              let data23 = data15.ignore;
              if (Array.isArray(data23)) {
                const len3 = data23.length;
                for (let i3 = 0; i3 < len3; i3++) {
                  if (typeof data23[i3] !== "string") {
                    const err39 = { instancePath: instancePath + "/overrides/" + i1 + "/ignore/" + i3, schemaPath: "#/properties/overrides/items/properties/ignore/items/type", keyword: "type", params: { type: "string" } };
                    if (vErrors === null) {
                      vErrors = [err39];
                    } else {
                      vErrors.push(err39);
                    }
                    errors++;
                  }
                }
              } else {
                const err40 = { instancePath: instancePath + "/overrides/" + i1 + "/ignore", schemaPath: "#/properties/overrides/items/properties/ignore/type", keyword: "type", params: { type: "array" } };
                if (vErrors === null) {
                  vErrors = [err40];
                } else {
                  vErrors.push(err40);
                }
                errors++;
              }
            }
          } else {
            const err41 = { instancePath: instancePath + "/overrides/" + i1, schemaPath: "#/properties/overrides/items/type", keyword: "type", params: { type: "object" } };
            if (vErrors === null) {
              vErrors = [err41];
            } else {
              vErrors.push(err41);
            }
            errors++;
          }
        }
      } else {
        const err42 = { instancePath: instancePath + "/overrides", schemaPath: "#/properties/overrides/type", keyword: "type", params: { type: "array" } };
        if (vErrors === null) {
          vErrors = [err42];
        } else {
          vErrors.push(err42);
        }
        errors++;
      }
    }
    if (data.ignore !== void 0) {
      let data25 = data.ignore;
      if (Array.isArray(data25)) {
        const len4 = data25.length;
        for (let i4 = 0; i4 < len4; i4++) {
          if (typeof data25[i4] !== "string") {
            const err43 = { instancePath: instancePath + "/ignore/" + i4, schemaPath: "#/properties/ignore/items/type", keyword: "type", params: { type: "string" } };
            if (vErrors === null) {
              vErrors = [err43];
            } else {
              vErrors.push(err43);
            }
            errors++;
          }
        }
      } else {
        const err44 = { instancePath: instancePath + "/ignore", schemaPath: "#/properties/ignore/type", keyword: "type", params: { type: "array" } };
        if (vErrors === null) {
          vErrors = [err44];
        } else {
          vErrors.push(err44);
        }
        errors++;
      }
    }
    if (data.baseline !== void 0) {
      if (typeof data.baseline !== "string") {
        const err45 = { instancePath: instancePath + "/baseline", schemaPath: "#/properties/baseline/type", keyword: "type", params: { type: "string" } };
        if (vErrors === null) {
          vErrors = [err45];
        } else {
          vErrors.push(err45);
        }
        errors++;
      }
    }
  } else {
    const err46 = { instancePath, schemaPath: "#/type", keyword: "type", params: { type: "object" } };
    if (vErrors === null) {
      vErrors = [err46];
    } else {
      vErrors.push(err46);
    }
    errors++;
  }
  validate10.errors = vErrors;
  return errors === 0;
}
var names = { "keys": { "#": ["ollama", "machine", "machines", "server", "models", "extends", "rules", "overrides", "ignore", "baseline"], "#/properties/models/additionalProperties": ["like", "weights"], "#/properties/overrides/items": ["files", "extends", "rules", "ollama", "machine", "ignore"] }, "titles": { "#/properties/server/propertyNames": "name of a variable", "#/properties/models/additionalProperties/properties/weights/allOf/0": "size", "#/properties/extends": "set of rules", "#/properties/rules/additionalProperties": "severity", "#/properties/overrides/items/properties/extends": "set of rules", "#/properties/overrides/items/properties/rules/additionalProperties": "severity" }, "examples": { "#/properties/ollama": "0.32", "#/properties/server/propertyNames": "OLLAMA_NUM_PARALLEL", "#/properties/models/additionalProperties/properties/like": "deepseek-v3:671b", "#/properties/overrides/items/properties/ollama": "0.32", "#/properties/baseline": ".modelfile-lint-baseline.json" } };
export {
  names,
  validate
};
