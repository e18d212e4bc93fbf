;;; eglot.el --- Run by eglot.client.ts  -*- lexical-binding: t; -*-

(load (expand-file-name "emacs.el" (file-name-directory load-file-name)))
(require 'flymake)

;; As these are set, a batch Emacs has nobody to ask, and nobody to wait for.
(setq eglot-sync-connect 10
      eglot-autoshutdown nil
      eglot-confirm-server-initiated-edits nil)

(defun client-code (diagnostic)
  "The rule of a flymake DIAGNOSTIC: Eglot writes it in front of the message."
  (let ((text (flymake-diagnostic-text diagnostic)))
    (if (string-match "\\[\\([a-z0-9-]+\\)\\]" text) (match-string 1 text) text)))

(defun client-codes ()
  (sort (mapcar #'client-code (flymake-diagnostics)) #'string<))

(defun client-hover ()
  "What Eldoc is given at point."
  (let (shown)
    (eglot-hover-eldoc-function (lambda (text &rest _) (setq shown text)))
    (client-wait "the hover" (lambda () shown))
    (substring-no-properties shown)))

(defun client-completions ()
  "What completion offers at point."
  (let ((found (run-hook-with-args-until-success 'completion-at-point-functions)))
    (mapcar #'substring-no-properties
            (all-completions "" (nth 2 found)))))

(defun client-mend (rule)
  "Take the first quick fix at the finding of RULE, and save."
  (goto-char (flymake-diagnostic-beg
              (seq-find (lambda (one) (equal (client-code one) rule)) (flymake-diagnostics))))
  (let ((actions (append (eglot-code-actions (point) (point) "quickfix" nil) nil)))
    (eglot--apply-workspace-edit (plist-get (car actions) :edit)))
  (save-buffer))

(dolist (case client-cases)
  (let ((rules (cdr (assoc "rules" (cdr case))))
        (rule (cdr (assoc "mend" (cdr case)))))
    (client-open (car case))
    (client-wait "the server" (lambda () (run-hooks 'post-command-hook) (eglot-current-server)))
    (flymake-start)
    (client-wait (format "%s; there are %s" rules (client-codes))
                 (lambda () (equal (client-codes) rules)))
    (client-see (car case) (client-codes) (mapcar #'flymake-diagnostic-text (flymake-diagnostics)))
    (when rule (client-mend rule))))

(client-open "many-cards")
(goto-char 8)
(let ((hover (client-hover)) completion)
  (client-append "parameter temperature    0.5\n\n\n\n")
  (eglot-format-buffer)
  (save-buffer)
  (client-append "PARAMETER num_")
  (setq completion (client-completions))
  (client-write hover completion)
  (set-buffer-modified-p nil))
(eglot-shutdown-all)

;;; eglot.el ends here
