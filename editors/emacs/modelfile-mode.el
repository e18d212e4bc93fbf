;;; modelfile-mode.el --- Ollama Modelfiles, with modelfile-lint's language server  -*- lexical-binding: t; -*-

;; Version: 0.1.0
;; Package-Requires: ((emacs "26.3"))
;; Keywords: languages, tools
;; URL: https://github.com/modelfile-lint/modelfile-lint

;;; Commentary:

;; A major mode for Modelfiles.  Eglot and lsp-mode both learn how to start
;; `modelfile-lint lsp --stdio'; one of them has to be hooked in:
;;
;;   (add-hook 'modelfile-mode-hook #'eglot-ensure)
;;   (add-hook 'modelfile-mode-hook #'lsp-deferred)

;;; Code:

;; generated: words
(defconst modelfile-mode--instructions
  '("FROM" "LICENSE" "TEMPLATE" "SYSTEM" "ADAPTER" "DRAFT" "RENDERER" "PARSER"
    "PARAMETER" "MESSAGE" "REQUIRES" "EMBED" "PROMPT"))
(defconst modelfile-mode--parameters
  '("num_ctx" "num_batch" "num_gpu" "main_gpu" "use_mmap" "num_thread"
    "draft_num_predict" "num_keep" "seed" "num_predict" "temperature" "top_k"
    "top_p" "min_p" "typical_p" "repeat_last_n" "repeat_penalty"
    "presence_penalty" "frequency_penalty" "stop" "mirostat" "mirostat_tau"
    "mirostat_eta" "penalize_newline" "tfs_z" "low_vram" "f16_kv" "logits_all"
    "vocab_only" "use_mlock" "numa" "embedding_only" "num_gqa"
    "rope_frequency_base" "rope_frequency_scale"))
;; end of generated words

(defconst modelfile-mode--font-lock-keywords
  `((,(concat "^[ \t]*" (regexp-opt modelfile-mode--instructions t) "\\_>")
     1 font-lock-keyword-face)
    (,(concat "^[ \t]*PARAMETER[ \t]+" (regexp-opt modelfile-mode--parameters t) "\\_>")
     1 font-lock-variable-name-face)
    ("^[ \t]*MESSAGE[ \t]+\\(system\\|user\\|assistant\\)\\_>" 1 font-lock-constant-face)
    ("{{[^}]*}}" 0 font-lock-preprocessor-face prepend)))

(defvar modelfile-mode-syntax-table
  (let ((table (make-syntax-table)))
    ;; A quote within a text ends nothing; `modelfile-mode--propertize' marks those that do.
    (modify-syntax-entry ?\" "." table)
    (modify-syntax-entry ?\\ "." table)
    (modify-syntax-entry ?_ "w" table)
    (modify-syntax-entry ?\n ">" table)
    table))

(defconst modelfile-mode--propertize
  (syntax-propertize-rules
   ("\\(\"\\)\"\"" (1 "|"))
   ("^[ \t]*\\(#\\)"
    (1 (unless (nth 3 (save-excursion (syntax-ppss (match-beginning 1))))
         (string-to-syntax "<"))))))

;;;###autoload
(define-derived-mode modelfile-mode prog-mode "Modelfile"
  "Major mode for Ollama Modelfiles."
  (setq-local comment-start "# ")
  (setq-local comment-start-skip "#+[ \t]*")
  (setq-local syntax-propertize-function modelfile-mode--propertize)
  (setq-local font-lock-defaults '(modelfile-mode--font-lock-keywords nil t)))

;; Behind the modes of other endings, so that Modelfile.md stays Markdown.
;;;###autoload
(add-to-list 'auto-mode-alist
             '("\\(?:\\`\\|/\\)[Mm]odelfile\\(?:[._0-9-][^/]*\\)?\\'" . modelfile-mode) t)
;;;###autoload
(add-to-list 'auto-mode-alist '("\\.[Mm]odelfile\\'" . modelfile-mode) t)

(defvar eglot-server-programs)
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               '(modelfile-mode . ("modelfile-lint" "lsp" "--stdio"))))

(defvar lsp-language-id-configuration)
(declare-function lsp-activate-on "lsp-mode")
(declare-function lsp-register-client "lsp-mode")
(declare-function lsp-stdio-connection "lsp-mode")
(declare-function make-lsp-client "lsp-mode")
(with-eval-after-load 'lsp-mode
  (add-to-list 'lsp-language-id-configuration '(modelfile-mode . "modelfile"))
  (lsp-register-client
   (make-lsp-client :new-connection (lsp-stdio-connection '("modelfile-lint" "lsp" "--stdio"))
                    :activation-fn (lsp-activate-on "modelfile")
                    :server-id 'modelfile-lint)))

(provide 'modelfile-mode)
;;; modelfile-mode.el ends here
